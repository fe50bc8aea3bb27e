/* A ring of packets in slots, filled anew from a list of frames before every turn. */
#ifndef RING_H
#define RING_H

#include "harness.h"

#define RING_LEN 4096
#define HEADROOM_MAX 128

struct packet_slot {
  /* Where the frame begins; moved by what puts headers before it or takes them off. */
  uint8_t *frame;
  uint32_t length;
  /* Next hop it leaves by; 0: dropped. */
  uint32_t out;
};

struct ring {
  struct packet_slot packets[RING_LEN];
  uint8_t *slots;
  uint32_t stride;
  uint32_t headroom;
};

/* Takes a frames file (count, length, record; then the records) and lays rings out; how many strides. */
unsigned ring_fill(const uint8_t *file, size_t octets, int stride_count, char **strides);

uint32_t ring_stride(unsigned index);

/* One ring's packets through a loop: nanoseconds a packet. The next turn takes the next frames. */
double ring_pass(const struct loop *loop, unsigned ring);

/* The sum over all packets that leave: what a flow's hash and a counter make differ is left out. */
uint32_t ring_check(const struct loop *loop, unsigned ring);

#endif
