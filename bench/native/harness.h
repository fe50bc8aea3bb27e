/*
 * Native peers: what the runner (bench/native.ts) asks of DPDK and of plain C loops, over the same files that it
 * gives to packetyard. Every number in a file is little-endian and in host order unless said otherwise.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys of a bulk look-up. Every key file holds a multiple of it. */
#define BURST 64

/* One way to look keys up; 64 results of 4 or 8 octets go to `out`. */
struct lookup {
  const char *group, *name;
  void (*burst)(const void *keys, void *out);
  /* The index-th result as packetyard tells it: 0 for none. */
  uint32_t (*result)(const void *out, unsigned index);
  /* When not NULL, called before a pass: one table may be looked up in several ways. False: not on this machine. */
  bool (*choose)(void);
};

struct ring;

/* One way to take all packets of a ring on their way. */
struct loop {
  const char *group, *name;
  void (*run)(struct ring *ring);
};

/* What is measured: tables, and either look-ups or packet loops over them. */
struct subject {
  const char *name;
  /* Builds the tables from the files of a folder. */
  void (*open)(const char *folder);
  const struct lookup *lookups;
  const struct loop *loops;
  /* Look-ups or loops there are. */
  unsigned count;
  /* Of a look-up's key. */
  unsigned key_octets;
  /* When not NULL, a pass is this, and not look-ups: nanoseconds for one of what it does many times. */
  double (*build)(void);
};

extern const struct subject build4_subject, lpm4_subject, lpm6_subject, hash_subject;
extern const struct subject encap_subject, decap_subject, strip_subject, connection_subject, maglev_subject,
    whole_subject;

/* Says why, and ends the program. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A whole file in fresh memory, and its octets. */
void *read_file(const char *folder, const char *name, size_t *octets);

/* Fresh zeroed memory that begins a page. */
void *take(size_t octets);

/* Nanoseconds of a clock that never goes back. */
uint64_t clock_ns(void);

/* The runner compares sums over all results, which depend on their order. */
#define SUM_FIRST 0x811c9dc5u

static inline uint32_t sum_add(uint32_t sum, uint32_t value)
{
  return (sum ^ value) * 0x01000193u;
}

#endif
