/** A MAC address as a plain number in host order (0 … 2^48-1). */
export type Mac = number;

/** `0a:58:0a:f4:01:02`; undefined if the text is no MAC address. */
export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Number.parseInt(text.replaceAll(":", ""), 16);
}

export function printMac(mac: Mac): string {
  const hex = mac.toString(16).padStart(12, "0");
  return hex.replace(/..(?!$)/g, "$&:");
}
