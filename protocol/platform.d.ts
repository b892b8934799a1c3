// The platform classes that every place Spoon runs in has (Encoding and URL Standard); nothing else of a platform is in reach here.
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
declare class URL {
  constructor(text: string);
  static canParse(text: string): boolean;
  readonly href: string;
  /** With its port, where that is not the scheme's own. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}
