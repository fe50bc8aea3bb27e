#include "ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "packet.h"

#define STRIDES_MAX 4

static struct ring *rings[STRIDES_MAX];
static unsigned ring_count;
static const uint8_t *records;
static uint32_t frame_count, frame_length, record_octets, next_frame;

static struct ring *make(uint32_t stride)
{
  struct ring *ring = take(sizeof *ring);
  if (stride < record_octets) fail("a slot of %u octets does not hold a frame of %u", stride, frame_length);
  ring->stride = stride;
  ring->headroom = stride - record_octets < HEADROOM_MAX ? stride - record_octets : HEADROOM_MAX;
  ring->slots = take((size_t)stride * RING_LEN);
  return ring;
}

static void clear(void)
{
  while (ring_count > 0) {
    struct ring *ring = rings[--ring_count];
    munmap(ring->slots, (size_t)ring->stride * RING_LEN);
    munmap(ring, sizeof *ring);
  }
}

unsigned ring_fill(const uint8_t *file, size_t octets, int stride_count, char **strides)
{
  const uint32_t *head = (const uint32_t *)file;
  frame_count = head[0];
  frame_length = head[1];
  record_octets = head[2];
  records = file + 3 * sizeof *head;
  if (octets != 3 * sizeof *head + (size_t)frame_count * record_octets || frame_count % RING_LEN != 0)
    fail("the file of frames holds no whole rings");
  clear();
  for (int i = 0; i < stride_count && i < STRIDES_MAX; i++) rings[ring_count++] = make((uint32_t)atoi(strides[i]));
  next_frame = 0;
  return ring_count;
}

uint32_t ring_stride(unsigned index)
{
  return rings[index]->stride;
}

static uint8_t *came_at(const struct ring *ring, unsigned index)
{
  return ring->slots + (size_t)index * ring->stride + ring->headroom;
}

/* The next frames as they come in, whatever the last turn made of their slots. */
static void refill(struct ring *ring)
{
  for (unsigned i = 0; i < RING_LEN; i++) {
    struct packet_slot *packet = &ring->packets[i];
    packet->frame = came_at(ring, i);
    packet->length = frame_length;
    packet->out = 0;
    memcpy(packet->frame, records + (size_t)(next_frame + i) * record_octets, record_octets);
  }
  next_frame = (next_frame + RING_LEN) % frame_count;
}

double ring_pass(const struct loop *loop, unsigned index)
{
  struct ring *ring = rings[index];
  refill(ring);
  const uint64_t begin = clock_ns();
  loop->run(ring);
  return (double)(clock_ns() - begin) / RING_LEN;
}

static uint32_t sum_packet(uint32_t sum, const struct packet_slot *packet, const uint8_t *came)
{
  uint8_t *frame = packet->frame;
  sum = sum_add(sum, packet->out);
  if (packet->out == 0) return sum;
  sum = sum_add(sum, packet->length);
  if (frame < came) {
    /* The outer header's own checksum is right, and with it and its identification left out all are equal. */
    sum = sum_add(sum, is_intact(frame + ETH_LEN));
    memset(frame + ETH_LEN + 4, 0, 2);
    memset(frame + ETH_LEN + 10, 0, 2);
    memset(frame + ETH_LEN + IP_LEN, 0, 2);
  }
  for (uint32_t i = 0; i < packet->length; i++) sum = sum_add(sum, frame[i]);
  return sum;
}

uint32_t ring_check(const struct loop *loop, unsigned index)
{
  struct ring *ring = rings[index];
  uint32_t sum = SUM_FIRST;
  next_frame = 0;
  do {
    refill(ring);
    loop->run(ring);
    for (unsigned i = 0; i < RING_LEN; i++) sum = sum_packet(sum, &ring->packets[i], came_at(ring, i));
  } while (next_frame != 0);
  return sum;
}
