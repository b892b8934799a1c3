// The two platform classes that every place Spoon runs in has (Encoding Standard); nothing else of a platform is in reach here.
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
