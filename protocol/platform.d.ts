// The one platform class that every place Spoon runs in has (Encoding Standard); nothing else of a platform is in reach here.
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
