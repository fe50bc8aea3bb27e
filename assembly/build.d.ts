/** 1 in the trace build, 0 in the run build: asc's `--use TRACE=…` makes it a constant and the other branch vanishes. */
declare const TRACE: i32;
