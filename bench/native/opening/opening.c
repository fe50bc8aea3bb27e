/*
 * New connections of a balancer in plain C, beside bench/opening.bench.ts and with its scene: SYNs that nobody has sent
 * before, to services drawn one by one, each of which gets a server by turns; as many connections end as begin. All
 * live equally long, so that a queue is all the timers there need be; there is one way to do it, and no case but this one.
 *
 *   opening SERVICES SERVERS LIVE [WINDOWS]: nanoseconds a connection, lowest decile of windows of 4,096, and their median
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "../packet.h"

#define BURST 64
#define CALL 256
#define RING 4096
#define STRIDE 2176
#define HEADROOM 128
#define LIFE 60000
#define WAYS 4
#define SERVER_SIDE 0x20
#define TCP 6

/* A place is free where meta is 0: session << 8 | protocol. `passed` counts entries that found no place here. */
struct entry {
  uint32_t src, dst, ports, meta;
};
struct bucket {
  struct entry ways[WAYS];
};
struct session {
  struct tuple request, reply;
  uint64_t expires;
  uint32_t next, server, service, state, packets, flags;
} __attribute__((aligned(64)));
struct server {
  uint32_t address, port, active, inactive;
  uint64_t connections, packets, octets;
} __attribute__((aligned(64)));
struct service {
  uint32_t address, port, first, count, at;
  uint64_t connections, packets, octets;
} __attribute__((aligned(64)));

static struct bucket *buckets;
static uint8_t *passed;
static uint32_t mask, service_mask, free_session, top = 1, live, queue_first, room;
static struct session *sessions;
static struct server *servers;
static struct service *services;
static uint32_t *service_places, *queue;
static uint8_t *ring;
static uint64_t total_connections, total_octets;

static void *populated(size_t octets)
{
  void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (at == MAP_FAILED) exit(1);
  return at;
}

static inline bool is_at(const struct entry *entry, const struct tuple *tuple)
{
  return entry->src == tuple->src && entry->dst == tuple->dst && entry->ports == tuple->ports &&
         (entry->meta & 0xff) == tuple->protocol && entry->meta != 0;
}

static inline bool is_known(uint32_t hash, const struct tuple *tuple)
{
  for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
    for (unsigned way = 0; way < WAYS; way++)
      if (is_at(&buckets[at].ways[way], tuple)) return true;
    if (passed[at] == 0) return false;
  }
}

static inline void enter(uint32_t hash, const struct tuple *tuple, uint32_t number)
{
  for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
    for (unsigned way = 0; way < WAYS; way++) {
      struct entry *entry = &buckets[at].ways[way];
      if (entry->meta != 0) continue;
      *entry = (struct entry){tuple->src, tuple->dst, tuple->ports, number << 8 | tuple->protocol};
      return;
    }
    passed[at]++;
  }
}

static inline void leave(uint32_t hash, const struct tuple *tuple, uint32_t number)
{
  for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
    for (unsigned way = 0; way < WAYS; way++) {
      struct entry *entry = &buckets[at].ways[way];
      if (entry->meta != (number << 8 | tuple->protocol)) continue;
      entry->meta = 0;
      return;
    }
    passed[at]--;
  }
}

static inline uint32_t hash_service(uint32_t address, uint32_t port)
{
  return rte_hash_crc_4byte(port, rte_hash_crc_4byte(address, 0));
}

static inline struct service *find_service(uint32_t hash, const struct tuple *tuple)
{
  for (uint32_t at = hash & service_mask; service_places[at] != 0; at = (at + 1) & service_mask) {
    struct service *service = &services[service_places[at] - 1];
    if (service->address == tuple->dst && service->port == (tuple->ports & 0xffff)) return service;
  }
  return NULL;
}

/* Ends what is over, in groups whose lines are on their way together. */
static void expire(uint64_t now)
{
  while (live != 0) {
    uint32_t numbers[BURST], hashes[BURST][2], count = 0;
    while (count < BURST && count < live) {
      const uint32_t number = queue[(queue_first + count) % room];
      if (sessions[number].expires > now) break;
      numbers[count++] = number;
    }
    if (count == 0) return;
    for (uint32_t i = 0; i < count; i++) {
      const struct session *session = &sessions[numbers[i]];
      hashes[i][0] = hash_tuple(&session->request);
      hashes[i][1] = hash_tuple(&session->reply);
      __builtin_prefetch(&buckets[hashes[i][0] & mask], 1);
      __builtin_prefetch(&buckets[hashes[i][1] & mask], 1);
      __builtin_prefetch(&servers[session->server], 1);
    }
    for (uint32_t i = 0; i < count; i++) {
      struct session *session = &sessions[numbers[i]];
      leave(hashes[i][0], &session->request, numbers[i]);
      leave(hashes[i][1], &session->reply, numbers[i]);
      servers[session->server].active--;
      session->next = free_session;
      free_session = numbers[i];
    }
    queue_first = (queue_first + count) % room;
    live -= count;
  }
}

static inline void open_session(const struct tuple *tuple, uint32_t hash, struct service *service, uint64_t now, uint32_t octets,
                                struct server **chosen)
{
  service->at = service->at == 0 ? service->count - 1 : service->at - 1;
  struct server *server = &servers[service->first + service->at];
  const struct tuple reply = {server->address, tuple->src, server->port << 16 | tuple->ports >> 16,
                              TCP ^ SERVER_SIDE};
  const uint32_t reply_hash = hash_tuple(&reply);
  if (is_known(reply_hash, &reply)) return;
  uint32_t number = free_session;
  if (number != 0) free_session = sessions[number].next;
  else number = top++;
  sessions[number] = (struct session){
      .request = *tuple, .reply = reply, .expires = now + LIFE, .server = service->first + service->at,
      .service = (uint32_t)(service - services), .state = 3, .packets = 1};
  enter(hash, tuple, number);
  enter(reply_hash, &reply, number);
  queue[(queue_first + live++) % room] = number;
  server->active++;
  server->connections++, server->packets++, server->octets += octets;
  service->connections++, service->packets++, service->octets += octets;
  total_connections++, total_octets += octets;
  *chosen = server;
}

static uint32_t direct(uint8_t *packets, uint64_t now)
{
  struct tuple tuples[BURST], turned[BURST];
  uint32_t hashes[BURST], answers[BURST], places[BURST], forwarded = 0;
  struct service *found[BURST];
  bool whole[BURST];
  for (unsigned i = 0; i < BURST; i++) {
    const uint8_t *frame = packets + i * STRIDE + HEADROOM;
    whole[i] = parse(frame, 64, &tuples[i]) && tuples[i].protocol == TCP && (frame[47] & 6) == 2;
    turned[i] = tuples[i];
    turned[i].protocol ^= SERVER_SIDE;
    hashes[i] = hash_tuple(&tuples[i]);
    answers[i] = hash_tuple(&turned[i]);
    places[i] = hash_service(tuples[i].dst, tuples[i].ports & 0xffff);
    __builtin_prefetch(&buckets[hashes[i] & mask], 1);
    __builtin_prefetch(&buckets[answers[i] & mask]);
    __builtin_prefetch(&service_places[places[i] & service_mask]);
  }
  for (unsigned i = 0; i < BURST; i++) {
    const uint32_t place = service_places[places[i] & service_mask];
    if (place != 0) __builtin_prefetch(&services[place - 1], 1);
  }
  for (unsigned i = 0; i < BURST; i++) {
    struct service *service = found[i] = find_service(places[i], &tuples[i]);
    if (service == NULL) continue;
    const uint32_t next = service->first + (service->at == 0 ? service->count : service->at) - 1;
    __builtin_prefetch(&servers[next], 1);
  }
  for (unsigned i = 0; i < BURST; i++) {
    if (found[i] == NULL) continue;
    const struct service *service = found[i];
    const struct server *next = &servers[service->first + (service->at == 0 ? service->count : service->at) - 1];
    const struct tuple reply = {next->address, tuples[i].src, next->port << 16 | tuples[i].ports >> 16,
                                TCP ^ SERVER_SIDE};
    __builtin_prefetch(&buckets[hash_tuple(&reply) & mask], 1);
  }
  for (unsigned i = 0; i < BURST; i++) {
    struct server *server = NULL;
    if (!whole[i] || found[i] == NULL) continue;
    if (is_known(answers[i], &turned[i]) || is_known(hashes[i], &tuples[i])) continue;
    uint8_t *ip = packets + i * STRIDE + HEADROOM + ETH_LEN;
    open_session(&tuples[i], hashes[i], found[i], now, get16(ip + 2), &server);
    if (server == NULL) continue;
    redirect(ip, server->address, server->port);
    forwarded++;
  }
  return forwarded;
}

/* As Clients in bench/opening-scene.ts. */
static void prepare(uint32_t service_count)
{
  static uint32_t drawn = 1, sent;
  for (unsigned i = 0; i < RING; i++) {
    uint8_t *frame = ring + i * STRIDE + HEADROOM, *ip = frame + ETH_LEN;
    memset(frame, 0, 64);
    put16(frame + 12, 0x0800);
    put32(ip, 0x45000028), put32(ip + 8, 0x40060000);
    drawn = drawn * 1664525 + 1013904223;
    put32(ip + 12, 0xc0000000 + ((sent * 0x9e3779b1) >> 8));
    put32(ip + 16, services[((uint64_t)drawn * service_count) >> 32].address);
    put16(ip + 20, 1024 + sent++ % 60000), put16(ip + 22, 80);
    ip[32] = 0x50, ip[33] = 2;
    const uint16_t checksum = (uint16_t)~fold(ip_sum(ip));
    memcpy(ip + 10, &checksum, 2);
  }
}

static double time_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
  const double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
  if (argc < 4) return 1;
  const uint32_t service_count = (uint32_t)atoi(argv[1]), each = (uint32_t)atoi(argv[2]);
  room = (uint32_t)atoi(argv[3]);
  const unsigned windows = argc > 4 ? (unsigned)atoi(argv[4]) : 100;
  uint32_t size = 1;
  while (size < room) size *= 2;
  mask = size - 1;
  for (size = 1; size < 2 * service_count; size *= 2) {}
  service_mask = size - 1;
  buckets = populated((mask + 1ul) * sizeof *buckets);
  passed = populated(mask + 1ul);
  sessions = populated((room + 1ul) * sizeof *sessions);
  queue = populated(room * sizeof *queue);
  servers = populated((size_t)service_count * each * sizeof *servers);
  services = populated(service_count * sizeof *services);
  service_places = populated(size * sizeof *service_places);
  ring = populated((size_t)RING * STRIDE);
  for (uint32_t i = 0; i < service_count; i++) {
    services[i] = (struct service){.address = 0x0a600001 + i, .port = 80, .first = i * each, .count = each};
    uint32_t at = hash_service(services[i].address, 80) & service_mask;
    while (service_places[at] != 0) at = (at + 1) & service_mask;
    service_places[at] = i + 1;
    for (uint32_t j = 0; j < each; j++)
      servers[i * each + j] = (struct server){.address = 0x0b000000 + i * each + j, .port = 8080};
  }
  const uint64_t step = (LIFE + room / CALL - 1) / (room / CALL);
  uint64_t now = LIFE;
  const unsigned warm = room / RING + 8;
  double *times = malloc(windows * sizeof *times);
  for (unsigned window = 0; window < warm + windows; window++) {
    prepare(service_count);
    uint32_t forwarded = 0;
    const double begin = time_ns();
    for (unsigned first = 0; first < RING; first += CALL) {
      now += step;
      expire(now);
      for (unsigned burst = 0; burst < CALL; burst += BURST) forwarded += direct(ring + (first + burst) * STRIDE, now);
    }
    if (window >= warm) times[window - warm] = (time_ns() - begin) / RING;
    if (forwarded != RING) return 2;
  }
  if (live != room) return 3;
  qsort(times, windows, sizeof *times, ascending);
  printf("%.0f %.0f\n", times[windows / 10], times[windows / 2]);
  return 0;
}
