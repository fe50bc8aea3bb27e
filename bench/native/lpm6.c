/* IPv6 longest-prefix match: rte_lpm6 and rte_fib6 (TRIE). */
#include <stdlib.h>

#include <rte_fib6.h>
#include <rte_lpm6.h>
#include <rte_rib6.h>

#include "routes.h"

#define TBL8S 262144

static struct rte_lpm6 *lpm;
static struct rte_fib6 *fib;

static void make_lpm(const struct route6 *routes, size_t count)
{
  const struct rte_lpm6_config config = {.max_rules = (uint32_t)count + 1024, .number_tbl8s = TBL8S};
  lpm = rte_lpm6_create("lpm6", SOCKET_ID_ANY, &config);
  if (lpm == NULL) fail("rte_lpm6_create: %s", rte_strerror(rte_errno));
  for (size_t i = 0; i < count; i++) {
    if (rte_lpm6_add(lpm, routes[i].address, (uint8_t)routes[i].length, routes[i].next_hop) != 0)
      fail("rte_lpm6_add refuses route %zu", i);
  }
}

static void make_fib(const struct route6 *routes, size_t count)
{
  struct rte_fib6_conf conf = {.type = RTE_FIB6_TRIE, .default_nh = 0, .max_routes = (int)count + 1024};
  conf.trie.nh_sz = RTE_FIB6_TRIE_4B;
  conf.trie.num_tbl8 = TBL8S;
  fib = rte_fib6_create("fib6", SOCKET_ID_ANY, &conf);
  if (fib == NULL) fail("rte_fib6_create: %s", rte_strerror(rte_errno));
  for (size_t i = 0; i < count; i++) {
    if (rte_fib6_add(fib, routes[i].address, (uint8_t)routes[i].length, routes[i].next_hop) != 0)
      fail("rte_fib6_add refuses route %zu", i);
  }
}

static void open_lpm6(const char *folder)
{
  size_t octets;
  struct route6 *routes = read_file(folder, "routes.bin", &octets);
  make_lpm(routes, octets / sizeof *routes);
  make_fib(routes, octets / sizeof *routes);
  free(routes);
}

static void lpm_one(const void *keys, void *out)
{
  const uint8_t(*ips)[16] = keys;
  uint32_t *next_hops = out;
  for (unsigned i = 0; i < BURST; i++) {
    if (rte_lpm6_lookup(lpm, ips[i], &next_hops[i]) != 0) next_hops[i] = 0;
  }
}

static void lpm_bulk(const void *keys, void *out)
{
  rte_lpm6_lookup_bulk_func(lpm, (uint8_t(*)[16])(uintptr_t)keys, out, BURST);
}

static void fib_bulk(const void *keys, void *out)
{
  rte_fib6_lookup_bulk(fib, (uint8_t(*)[16])(uintptr_t)keys, out, BURST);
}

static bool choose_scalar(void)
{
  return rte_fib6_select_lookup(fib, RTE_FIB6_LOOKUP_TRIE_SCALAR) == 0;
}

static bool choose_vector(void)
{
  return rte_fib6_select_lookup(fib, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512) == 0;
}

static uint32_t plain(const void *out, unsigned index)
{
  return ((const uint32_t *)out)[index];
}

static uint32_t or_none(const void *out, unsigned index)
{
  const int32_t result = ((const int32_t *)out)[index];
  return result < 0 ? 0 : (uint32_t)result;
}

static uint32_t wide(const void *out, unsigned index)
{
  return (uint32_t)((const uint64_t *)out)[index];
}

static const struct lookup LOOKUPS[] = {
    {"dpdk", "rte_lpm6, one at a time", lpm_one, plain, NULL},
    {"dpdk", "rte_lpm6, bulk", lpm_bulk, or_none, NULL},
    {"dpdk", "rte_fib6 4B, scalar", fib_bulk, wide, choose_scalar},
    {"dpdk", "rte_fib6 4B, AVX-512", fib_bulk, wide, choose_vector},
};

const struct subject lpm6_subject = {"lpm6", open_lpm6, LOOKUPS, NULL, sizeof LOOKUPS / sizeof *LOOKUPS, 16};
