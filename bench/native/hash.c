/* Exact match over 16-octet keys: rte_hash with CRC32, as large as the keys ask for and with twice the room. */
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include "harness.h"

struct tuple {
  uint32_t words[4];
};

static struct rte_hash *tight, *roomy;

static struct rte_hash *hash_of(const char *name, size_t room, const struct tuple *tuples, const uint32_t *values,
                                size_t count)
{
  const struct rte_hash_parameters parameters = {.name = name,
                                                 .entries = (uint32_t)room,
                                                 .key_len = sizeof(struct tuple),
                                                 .hash_func = rte_hash_crc,
                                                 .socket_id = (int)SOCKET_ID_ANY};
  struct rte_hash *hash = rte_hash_create(&parameters);
  if (hash == NULL) fail("rte_hash_create: %s", rte_strerror(rte_errno));
  for (size_t i = 0; i < count; i++) {
    if (rte_hash_add_key_data(hash, &tuples[i], (void *)(uintptr_t)values[i]) == 0) continue;
    rte_hash_free(hash);
    return NULL;
  }
  return hash;
}

static void open_hash(const char *folder)
{
  size_t octets, value_octets;
  struct tuple *tuples = read_file(folder, "tuples.bin", &octets);
  uint32_t *values = read_file(folder, "values.bin", &value_octets);
  const size_t count = octets / sizeof *tuples;
  if (value_octets / sizeof *values != count) fail("there are not as many values as tuples");
  roomy = hash_of("roomy", count * 2, tuples, values, count);
  if (roomy == NULL) fail("rte_hash finds no room for a key");
  /* A table filled to the brim may refuse a last key; the roomy one stands for it then. */
  tight = hash_of("tight", count, tuples, values, count);
  free(tuples);
  free(values);
}

static inline void find_one(const struct rte_hash *hash, const void *keys, void **data)
{
  const struct tuple *tuples = keys;
  for (unsigned i = 0; i < BURST; i++) {
    if (rte_hash_lookup_data(hash, &tuples[i], &data[i]) < 0) data[i] = NULL;
  }
  data[BURST] = (void *)UINTPTR_MAX;
}

static inline void find_bulk(const struct rte_hash *hash, const void *keys, void **data)
{
  const struct tuple *tuples = keys;
  const void *pointers[BURST];
  for (unsigned i = 0; i < BURST; i++) pointers[i] = &tuples[i];
  /* Bit i of what follows the data says whether the i-th key was found. */
  rte_hash_lookup_bulk_data(hash, pointers, BURST, (uint64_t *)&data[BURST], data);
}

static void tight_one(const void *keys, void *out)
{
  find_one(tight != NULL ? tight : roomy, keys, out);
}

static void tight_bulk(const void *keys, void *out)
{
  find_bulk(tight != NULL ? tight : roomy, keys, out);
}

static void roomy_bulk(const void *keys, void *out)
{
  find_bulk(roomy, keys, out);
}

static uint32_t value(const void *out, unsigned index)
{
  const uint64_t *data = out;
  return data[BURST] >> index & 1 ? (uint32_t)data[index] : 0;
}

static const struct lookup LOOKUPS[] = {
    {"dpdk", "rte_hash, one at a time", tight_one, value, NULL},
    {"dpdk", "rte_hash, bulk", tight_bulk, value, NULL},
    {"dpdk", "rte_hash with twice the room, bulk", roomy_bulk, value, NULL},
};

const struct subject hash_subject = {"hash", open_hash, LOOKUPS, NULL, sizeof LOOKUPS / sizeof *LOOKUPS, sizeof(struct tuple)};
