/** Ethernet, the only link type whose packets the machine takes. */
export const LINK_TYPE_ETHERNET = 1;

/** Names of the link types that captures of a node's traffic have (tcpdump.org/linktypes.html). */
const LINK_TYPE_NAME: Readonly<Record<number, string>> = {
  0: "NULL",
  [LINK_TYPE_ETHERNET]: "ETHERNET",
  6: "IEEE802_5",
  8: "SLIP",
  9: "PPP",
  10: "FDDI",
  // DLT_RAW as BSD and OpenBSD number it; captures name 101, but some tools write these.
  12: "RAW",
  14: "RAW",
  50: "PPP_HDLC",
  51: "PPP_ETHER",
  101: "RAW",
  104: "C_HDLC",
  105: "IEEE802_11",
  107: "FRELAY",
  108: "LOOP",
  113: "LINUX_SLL",
  117: "PFLOG",
  119: "IEEE802_11_PRISM",
  127: "IEEE802_11_RADIOTAP",
  147: "USER0",
  149: "USER2",
  162: "USER15",
  187: "BLUETOOTH_HCI_H4",
  189: "USB_LINUX",
  192: "PPI",
  195: "IEEE802_15_4_WITHFCS",
  201: "BLUETOOTH_HCI_H4_WITH_PHDR",
  220: "USB_LINUX_MMAPPED",
  227: "CAN_SOCKETCAN",
  228: "IPV4",
  229: "IPV6",
  230: "IEEE802_15_4_NOFCS",
  239: "NFLOG",
  240: "NETANALYZER",
  249: "USBPCAP",
  253: "NETLINK",
  271: "VSOCK",
  274: "ETHERNET_MPACKET",
  276: "LINUX_SLL2",
};

/** `LINUX_SLL2 (276)`; a number without a name here is `link type 999`. */
export function linkTypeName(linkType: number): string {
  const name = LINK_TYPE_NAME[linkType];
  return name === undefined ? `link type ${linkType}` : `${name} (${linkType})`;
}
