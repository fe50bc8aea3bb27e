/* IPv4 longest-prefix match: rte_lpm and rte_fib (DIR24_8), in all their ways to look up. */
#include <stdlib.h>
#include <string.h>

#include <rte_fib.h>
#include <rte_lpm.h>
#include <rte_rib.h>

#include "routes.h"

#define TBL8S (1u << 16)

static struct rte_lpm *lpm;
static struct rte_fib *fib2, *fib4;

static struct rte_fib *make_fib(const char *name, enum rte_fib_dir24_8_nh_sz size, const struct route4 *routes,
                                size_t count)
{
  struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8, .default_nh = 0, .max_routes = (int)count + 1024};
  conf.dir24_8.nh_sz = size;
  conf.dir24_8.num_tbl8 = size == RTE_FIB_DIR24_8_2B ? 32767 : TBL8S;
  struct rte_fib *fib = rte_fib_create(name, SOCKET_ID_ANY, &conf);
  if (fib == NULL) fail("rte_fib_create: %s", rte_strerror(rte_errno));
  for (size_t i = 0; i < count; i++) {
    if (rte_fib_add(fib, routes[i].address, (uint8_t)routes[i].length, routes[i].next_hop) != 0)
      fail("rte_fib_add refuses route %zu", i);
  }
  return fib;
}

/* What is built anew in every pass. */
static struct route4 *build_routes;
static size_t build_count;

static void open_build4(const char *folder)
{
  build_routes = routes4_read(folder, &build_count);
  fib2 = make_fib("fib2", RTE_FIB_DIR24_8_2B, build_routes, build_count);
}

/* Nanoseconds a route of a table made of all of them. */
static double build_fib(void)
{
  const uint64_t begin = clock_ns();
  struct rte_fib *fib = make_fib("built", RTE_FIB_DIR24_8_2B, build_routes, build_count);
  const uint64_t end = clock_ns();
  rte_fib_free(fib);
  return (double)(end - begin) / (double)build_count;
}

static void open_lpm4(const char *folder)
{
  size_t count;
  struct route4 *routes = routes4_read(folder, &count);
  lpm = lpm_of(routes, count);
  fib2 = make_fib("fib2", RTE_FIB_DIR24_8_2B, routes, count);
  fib4 = make_fib("fib4", RTE_FIB_DIR24_8_4B, routes, count);
  free(routes);
}

static void lpm_one(const void *keys, void *out)
{
  const uint32_t *ips = keys;
  uint32_t *next_hops = out;
  for (unsigned i = 0; i < BURST; i++) {
    if (rte_lpm_lookup(lpm, ips[i], &next_hops[i]) != 0) next_hops[i] = 0;
  }
}

static void lpm_four(const void *keys, void *out)
{
  const uint32_t *ips = keys;
  uint32_t *next_hops = out;
  for (unsigned i = 0; i < BURST; i += 4)
    rte_lpm_lookupx4(lpm, _mm_loadu_si128((const __m128i *)&ips[i]), &next_hops[i], 0);
}

static void lpm_bulk(const void *keys, void *out)
{
  rte_lpm_lookup_bulk(lpm, (const uint32_t *)keys, (uint32_t *)out, BURST);
}

static void fib2_bulk(const void *keys, void *out)
{
  rte_fib_lookup_bulk(fib2, (uint32_t *)(uintptr_t)keys, out, BURST);
}

static void fib4_bulk(const void *keys, void *out)
{
  rte_fib_lookup_bulk(fib4, (uint32_t *)(uintptr_t)keys, out, BURST);
}

static bool choose_macro(void)
{
  return rte_fib_select_lookup(fib2, RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO) == 0;
}

static bool choose_inline(void)
{
  return rte_fib_select_lookup(fib2, RTE_FIB_LOOKUP_DIR24_8_SCALAR_INLINE) == 0;
}

static bool choose_uni(void)
{
  return rte_fib_select_lookup(fib2, RTE_FIB_LOOKUP_DIR24_8_SCALAR_UNI) == 0;
}

static bool choose_vector2(void)
{
  return rte_fib_select_lookup(fib2, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512) == 0;
}

static bool choose_vector4(void)
{
  return rte_fib_select_lookup(fib4, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512) == 0;
}

static uint32_t plain(const void *out, unsigned index)
{
  return ((const uint32_t *)out)[index];
}

static uint32_t flagged(const void *out, unsigned index)
{
  const uint32_t result = plain(out, index);
  return result & RTE_LPM_LOOKUP_SUCCESS ? result & 0xffffff : 0;
}

static uint32_t wide(const void *out, unsigned index)
{
  return (uint32_t)((const uint64_t *)out)[index];
}

static const struct lookup LOOKUPS[] = {
    {"dpdk", "rte_lpm, one at a time", lpm_one, plain, NULL},
    {"dpdk", "rte_lpm, four at a time", lpm_four, plain, NULL},
    {"dpdk", "rte_lpm, bulk", lpm_bulk, flagged, NULL},
    {"dpdk", "rte_fib 2B, scalar macro", fib2_bulk, wide, choose_macro},
    {"dpdk", "rte_fib 2B, scalar inline", fib2_bulk, wide, choose_inline},
    {"dpdk", "rte_fib 2B, scalar uni", fib2_bulk, wide, choose_uni},
    {"dpdk", "rte_fib 2B, AVX-512", fib2_bulk, wide, choose_vector2},
    {"dpdk", "rte_fib 4B, AVX-512", fib4_bulk, wide, choose_vector4},
};

static const struct lookup BUILT[] = {{"dpdk", "rte_fib 2B, route by route", fib2_bulk, wide, NULL}};

const struct subject lpm4_subject = {
    "lpm4", open_lpm4, LOOKUPS, NULL, sizeof LOOKUPS / sizeof *LOOKUPS, sizeof(uint32_t), NULL};
const struct subject build4_subject = {"build4", open_build4, BUILT, NULL, 1, sizeof(uint32_t), build_fib};
