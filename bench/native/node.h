/* A node that routes: its rte_lpm and its next hops, with their headers laid out beforehand. */
#ifndef NODE_H
#define NODE_H

#include <rte_lpm.h>

#include "packet.h"

#define HOP_DIRECT 2
#define HOP_VXLAN 3

struct hop {
  uint8_t outer[OUTER_LEN + 2];
  uint8_t macs[12];
  uint32_t kind, mtu;
  /* Of the outer IPv4 header, without its length, identification and checksum; in the order of memory. */
  uint32_t outer_sum;
} __attribute__((aligned(128)));

struct node {
  struct rte_lpm *lpm;
  struct hop *hops;
  size_t hop_count;
  uint32_t outer_id;
};

extern struct node node;

/* Reads routes.bin and hops.bin of a folder. */
void node_open(const char *folder);

/* The next hop's number; 0: none, the packet does not fit, or its TTL does not last. */
static inline uint32_t route(uint8_t *ip, uint32_t dst)
{
  uint32_t number;
  if (rte_lpm_lookup(node.lpm, dst, &number) != 0) return 0;
  if (get16(ip + 2) > node.hops[number].mtu || !age(ip)) return 0;
  return number;
}

static inline void readdress(uint8_t *frame, const struct hop *hop)
{
  memcpy(frame, hop->macs, sizeof hop->macs);
}

/* VXLAN's 50 octets before the frame; the UDP checksum stays 0. */
static inline void encap(struct packet_slot *packet, const struct hop *hop, const struct tuple *inner)
{
  const uint32_t port = 32768 + (uint32_t)(((uint64_t)hash_tuple(inner) * (60999 - 32768 + 1)) >> 32);
  uint8_t *outer = packet->frame - OUTER_LEN, *ip = outer + ETH_LEN;
  const uint32_t length = packet->length + OUTER_LEN - ETH_LEN, id = node.outer_id++ & 0xffff;
  memcpy(outer, hop->outer, OUTER_LEN);
  put16(ip + 2, length);
  put16(ip + 4, id);
  ip[1] = packet->frame[ETH_LEN + 1] & 3;
  const uint64_t sum = (uint64_t)hop->outer_sum + __builtin_bswap16((uint16_t)length) +
                       __builtin_bswap16((uint16_t)id) + ((uint32_t)ip[1] << 8);
  const uint16_t checksum = (uint16_t)~fold(sum);
  memcpy(ip + 10, &checksum, 2);
  put16(ip + IP_LEN, port);
  put16(ip + IP_LEN + 4, length - IP_LEN);
  packet->frame = outer;
  packet->length += OUTER_LEN;
}

/* Routes a parsed packet and readies it to leave. */
static inline void forward(struct packet_slot *packet, struct tuple *tuple)
{
  uint8_t *ip = packet->frame + ETH_LEN;
  packet->out = route(ip, tuple->dst);
  if (packet->out == 0) return;
  const struct hop *hop = &node.hops[packet->out];
  packet->length = ETH_LEN + get16(ip + 2);
  readdress(packet->frame, hop);
  if (hop->kind == HOP_VXLAN) encap(packet, hop, tuple);
}

#endif
