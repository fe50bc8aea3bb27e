/*
 * The harness's conversation, a line each way: `open SUBJECT FOLDER`, `keys FILE [STRIDE…]`, `check VARIANT` and
 * `time VARIANT MILLISECONDS`. It opens one subject in its life. Answers are `ok …` or `error …`.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

#include "harness.h"
#include "ring.h"

#define WORDS_MAX 16
/* Keys of a pass: a pass is short, so that some passes of a turn are undisturbed. */
#define PASS_KEYS (1u << 16)
#define PASSES_MAX 4096
#define PASSES_MIN 10
#define WARM_NS 2000000

static const struct subject *const SUBJECTS[] = {&build4_subject, &lpm4_subject,   &lpm6_subject,       &hash_subject,
                                                 &encap_subject,  &decap_subject,  &strip_subject,
                                                 &maglev_subject, &connection_subject, &whole_subject};

static const struct subject *subject;
static uint8_t *keys;
static size_t key_count, next_key;
/* A burst's results; rte_hash's hit mask stands behind them. */
static uint64_t out[BURST + 1] __attribute__((aligned(64)));

void fail(const char *format, ...)
{
  va_list values;
  va_start(values, format);
  printf("error ");
  vprintf(format, values);
  printf("\n");
  fflush(stdout);
  exit(1);
}

void *take(size_t octets)
{
  void *memory = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("there is no memory for %zu octets", octets);
  /* 4 KB pages, as packetyard's memory has, unless the system gives everyone larger ones. */
  madvise(memory, octets, MADV_NOHUGEPAGE);
  memset(memory, 0, octets);
  return memory;
}

void *read_file(const char *folder, const char *name, size_t *octets)
{
  char path[4096];
  snprintf(path, sizeof path, folder == NULL ? "%s%s" : "%s/%s", folder == NULL ? "" : folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("%s cannot be read", path);
  fseek(file, 0, SEEK_END);
  *octets = (size_t)ftell(file);
  rewind(file);
  void *content = malloc(*octets + 64);
  if (content == NULL || fread(content, 1, *octets, file) != *octets) fail("%s cannot be read whole", path);
  fclose(file);
  return content;
}

uint64_t clock_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void look_up(const struct lookup *lookup, size_t count)
{
  const size_t step = (size_t)BURST * subject->key_octets;
  const uint8_t *burst = keys + next_key * subject->key_octets, *end = burst + count * subject->key_octets;
  for (; burst < end; burst += step) lookup->burst(burst, out);
}

static uint32_t check_lookup(const struct lookup *lookup)
{
  uint32_t sum = SUM_FIRST;
  if (lookup->choose != NULL) lookup->choose();
  for (size_t first = 0; first < key_count; first += BURST) {
    lookup->burst(keys + first * subject->key_octets, out);
    for (unsigned i = 0; i < BURST; i++) sum = sum_add(sum, lookup->result(out, i));
  }
  return sum;
}

/* One pass over the next keys of the stream: nanoseconds for one. */
static double pass(unsigned variant)
{
  if (subject->build != NULL) return subject->build();
  if (subject->loops != NULL) return ring_pass(&subject->loops[variant % subject->count], variant / subject->count);
  const struct lookup *lookup = &subject->lookups[variant];
  if (lookup->choose != NULL) lookup->choose();
  const size_t left = key_count - next_key, count = left < PASS_KEYS ? left : PASS_KEYS;
  const uint64_t begin = clock_ns();
  look_up(lookup, count);
  const uint64_t end = clock_ns();
  next_key = (next_key + count) % key_count;
  return (double)(end - begin) / (double)count;
}

static int compare(const void *a, const void *b)
{
  const double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

/*
 * What a pass costs undisturbed: the lowest decile of those that so many milliseconds hold, after two milliseconds that
 * warm caches up.
 */
static double time_passes(unsigned variant, double ms)
{
  static double samples[PASSES_MAX];
  const uint64_t end = clock_ns() + (uint64_t)(ms * 1e6);
  unsigned taken = 0;
  for (const uint64_t warm = clock_ns() + WARM_NS; clock_ns() < warm;) pass(variant);
  while (taken < PASSES_MIN || (taken < PASSES_MAX && clock_ns() < end)) samples[taken++] = pass(variant);
  qsort(samples, taken, sizeof *samples, compare);
  return samples[taken / 10];
}

static void do_open(const char *name, const char *folder)
{
  for (size_t i = 0; i < sizeof SUBJECTS / sizeof *SUBJECTS; i++) {
    if (strcmp(SUBJECTS[i]->name, name) == 0) subject = SUBJECTS[i];
  }
  if (subject == NULL) fail("there is no subject %s", name);
  subject->open(folder);
  printf("ok\n");
}

/* GROUP:NAME; group `absent` where this machine cannot. */
static void print_variant(unsigned variant)
{
  if (subject->loops != NULL) {
    const struct loop *loop = &subject->loops[variant % subject->count];
    printf("%s:%s, %u-octet slots", loop->group, loop->name, ring_stride(variant / subject->count));
  } else {
    const struct lookup *lookup = &subject->lookups[variant];
    const bool there = lookup->choose == NULL || lookup->choose();
    printf("%s:%s", there ? lookup->group : "absent", lookup->name);
  }
}

static void do_keys(int count, char **words)
{
  size_t octets;
  free(keys);
  keys = read_file(NULL, words[1], &octets);
  unsigned strides = 1;
  if (subject->loops != NULL) {
    strides = ring_fill(keys, octets, count - 2, words + 2);
  } else {
    key_count = octets / subject->key_octets;
    next_key = 0;
    if (key_count == 0 || key_count % BURST != 0) fail("%s holds no whole bursts of keys", words[1]);
  }
  printf("ok ");
  for (unsigned i = 0; i < strides * subject->count; i++) {
    printf(i == 0 ? "" : "|");
    print_variant(i);
  }
  printf("\n");
}

static void do_check(unsigned variant)
{
  const uint32_t sum = subject->loops != NULL
                           ? ring_check(&subject->loops[variant % subject->count], variant / subject->count)
                           : check_lookup(&subject->lookups[variant]);
  printf("ok %u\n", sum);
}

static void answer(char *line)
{
  char *words[WORDS_MAX];
  int count = 0;
  for (char *word = strtok(line, " \n"); word != NULL && count < WORDS_MAX; word = strtok(NULL, " \n"))
    words[count++] = word;
  if (count == 0) fail("an empty line is no request");
  if (strcmp(words[0], "open") == 0 && count == 3) do_open(words[1], words[2]);
  else if (subject == NULL) fail("%s: nothing is open", words[0]);
  else if (strcmp(words[0], "keys") == 0 && count >= 2) do_keys(count, words);
  else if (strcmp(words[0], "check") == 0 && count == 2) do_check((unsigned)atoi(words[1]));
  else if (strcmp(words[0], "time") == 0 && count == 3)
    printf("ok %.5f\n", time_passes((unsigned)atoi(words[1]), atof(words[2])));
  else fail("%s is no request", words[0]);
  fflush(stdout);
}

int main(int count, char **words)
{
  char line[8192];
  if (rte_eal_init(count, words) < 0) fail("DPDK does not start: %s", rte_strerror(rte_errno));
  printf("ok %s\n", rte_version());
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) answer(line);
  return 0;
}
