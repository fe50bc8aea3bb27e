/* Route files, and an rte_lpm filled from one. */
#include "routes.h"

#include <stdlib.h>

#define TBL8S (1u << 16)
#define GROUP RTE_LPM_TBL8_GROUP_NUM_ENTRIES
/* rte_lpm_add searches all rules of a length for every new one: beyond this it takes minutes. */
#define ADDED_MAX 100000

struct route4 *routes4_read(const char *folder, size_t *count)
{
  size_t octets;
  struct route4 *routes = read_file(folder, "routes.bin", &octets);
  *count = octets / sizeof *routes;
  return routes;
}

static int by_length(const void *a, const void *b)
{
  const struct route4 *left = a, *right = b;
  return (int)left->length - (int)right->length;
}

static struct rte_lpm_tbl_entry entry_of(uint32_t next_hop, unsigned depth, bool group)
{
  return (struct rte_lpm_tbl_entry){.next_hop = next_hop, .valid = 1, .valid_group = group, .depth = depth};
}

/* The entries of a /24 that longer routes cut. */
static struct rte_lpm_tbl_entry *group_of(struct rte_lpm *lpm, uint32_t index, uint32_t *groups)
{
  struct rte_lpm_tbl_entry *top = &lpm->tbl24[index];
  if (!top->valid || !top->valid_group) {
    if (*groups == TBL8S) fail("the routes need more than %u groups of rte_lpm", TBL8S);
    struct rte_lpm_tbl_entry *group = &lpm->tbl8[(size_t)*groups * GROUP];
    for (unsigned i = 0; i < GROUP; i++) {
      group[i] = *top;
      group[i].valid_group = 1;
    }
    *top = entry_of((*groups)++, 0, true);
  }
  return &lpm->tbl8[(size_t)top->next_hop * GROUP];
}

/* Writes what rte_lpm_add would leave in the look-up tables, without its rules: shorter routes first. */
static void write_tables(struct rte_lpm *lpm, const struct route4 *routes, size_t count)
{
  uint32_t groups = 0;
  struct route4 *sorted = malloc(count * sizeof *sorted);
  if (sorted == NULL) fail("there is no memory to sort %zu routes", count);
  for (size_t i = 0; i < count; i++) sorted[i] = routes[i];
  qsort(sorted, count, sizeof *sorted, by_length);
  for (size_t i = 0; i < count; i++) {
    const struct route4 route = sorted[i];
    const unsigned length = route.length;
    const bool fine = length > 24;
    struct rte_lpm_tbl_entry *at = fine ? group_of(lpm, route.address >> 8, &groups) + (route.address & 255)
                                        : &lpm->tbl24[route.address >> 8];
    const uint32_t covered = 1u << ((fine ? 32 : 24) - length);
    for (uint32_t j = 0; j < covered; j++) at[j] = entry_of(route.next_hop, length, fine);
  }
  free(sorted);
}

struct rte_lpm *lpm_of(const struct route4 *routes, size_t count)
{
  const struct rte_lpm_config config = {.max_rules = (uint32_t)count + 1024, .number_tbl8s = TBL8S};
  struct rte_lpm *lpm = rte_lpm_create("lpm", SOCKET_ID_ANY, &config);
  if (lpm == NULL) fail("rte_lpm_create: %s", rte_strerror(rte_errno));
  if (count > ADDED_MAX) {
    write_tables(lpm, routes, count);
    return lpm;
  }
  for (size_t i = 0; i < count; i++) {
    if (rte_lpm_add(lpm, routes[i].address, (uint8_t)routes[i].length, routes[i].next_hop) != 0)
      fail("rte_lpm_add refuses route %zu", i);
  }
  return lpm;
}
