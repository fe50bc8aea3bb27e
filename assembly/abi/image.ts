/**
 * What a host must know of images and states. An image is one relocatable block of linear memory that holds every
 * table of one node; a state is another, with what running packets changes. Inside there are offsets only, never
 * addresses.
 */

/** "PKYD" in little-endian order. */
export const IMAGE_MAGIC: u32 = 0x44594b50;
/** Grows with every change of any layout; a saved image of another version is refused. */
export const IMAGE_VERSION: u32 = 11;
/** "PKST" in little-endian order. */
export const STATE_MAGIC: u32 = 0x54534b50;
/** Images and states start at multiples of this. */
export const IMAGE_ALIGNMENT: u32 = 128;
/**
 * Octets at an image's end that no table gets. An offset cut to `capacity - IMAGE_TAIL` can be read that far beyond,
 * so a reader in another thread who follows a stale one stays inside the image.
 */
export const IMAGE_TAIL: u32 = 4096;

/** What a building call answers: 0, or why nothing was changed. */
export const STATUS_OK: u32 = 0;
/** The image's capacity is used up: give it more room (imageResize) and call again. A state: stateReach. */
export const STATUS_NO_SPACE: u32 = 1;
/** A number is out of its range. */
export const STATUS_BAD_ENTRY: u32 = 2;
/** Not an image or a state, or of another version. */
export const STATUS_BAD_IMAGE: u32 = 3;
/**
 * Of a run: the image moved to another place meanwhile, or has more virtual servers than the state has room for. Call
 * again for the packets from BATCH_DONE on, with both as they are now.
 */
export const STATUS_AGAIN: u32 = 4;

/** imageFlags: verify TCP and UDP checksums in software, as a kernel does without NIC offload. */
export const IMAGE_FLAG_VERIFY: u32 = 1;

/** What imageOctets(image, part) can be asked for. */
export const PART_ALL: u32 = 0;
/** IPv4 routes: what look-ups read. */
export const PART_FIB: u32 = 1;
export const PART_EXACT: u32 = 2;
export const PART_RULES: u32 = 3;
export const PART_SERVERS: u32 = 4;
/** IPv6 routes: what look-ups read. */
export const PART_FIB6: u32 = 5;
/** The store of routes, of both families, that changes need and look-ups never read. */
export const PART_ROUTES: u32 = 6;
/** With tunnel devices. */
export const PART_NEXT_HOPS: u32 = 7;
