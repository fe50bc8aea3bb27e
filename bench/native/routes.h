/* Route files: rows of address, length and next hop, the length 1 or more (rte_lpm has no /0: the runner halves it). */
#ifndef ROUTES_H
#define ROUTES_H

#include <rte_errno.h>
#include <rte_lpm.h>

#include "harness.h"

struct route4 {
  uint32_t address, length, next_hop;
};

/* An address in network order; length and next hop follow. */
struct route6 {
  uint8_t address[16];
  uint32_t length, next_hop;
};

struct route4 *routes4_read(const char *folder, size_t *count);

/* An rte_lpm that holds all of them. */
struct rte_lpm *lpm_of(const struct route4 *routes, size_t count);

#endif
