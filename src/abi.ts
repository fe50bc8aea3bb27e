/** The integer types in which assembly/abi is written, as TypeScript sees them. */
declare global {
  type u32 = number;
}

export {};
