/** Tunnel devices: rows of 16 octets, few enough to be walked. */
/** UDP port | TUNNEL_ kind << 16; ports have one kind each. */
export const DEVICE_PORT: u32 = 0;
export const DEVICE_VNI: u32 = 4;
export const DEVICE_IN: u32 = 8;
export const DEVICE_LEN: u32 = 16;
export const DEVICE_KIND_SHIFT: u32 = 16;

/** No device listens on the port. */
export const TUNNEL_NONE: u32 = 0xffffffff;
