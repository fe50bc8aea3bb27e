/* Headers in place, and the steps that every packet loop shares. */
#ifndef PACKET_H
#define PACKET_H

#include <string.h>

#include <rte_hash_crc.h>

#include "ring.h"

#define ETH_LEN 14
#define IP_LEN 20
#define UDP_LEN 8
#define VXLAN_LEN 8
#define OUTER_LEN (ETH_LEN + IP_LEN + UDP_LEN + VXLAN_LEN)
#define PROTO_TCP 6
#define PROTO_UDP 17
#define VXLAN_FLAG_VNI 0x08

/* What parsing found; addresses and ports (src << 16 | dst) in host order. */
struct tuple {
  uint32_t src, dst, ports, protocol;
};

static inline uint16_t get16(const uint8_t *at)
{
  uint16_t value;
  memcpy(&value, at, 2);
  return __builtin_bswap16(value);
}

static inline uint32_t get32(const uint8_t *at)
{
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

static inline void put16(uint8_t *at, uint32_t value)
{
  const uint16_t swapped = __builtin_bswap16((uint16_t)value);
  memcpy(at, &swapped, 2);
}

static inline void put32(uint8_t *at, uint32_t value)
{
  const uint32_t swapped = __builtin_bswap32(value);
  memcpy(at, &swapped, 4);
}

static inline uint32_t fold(uint64_t sum)
{
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

/* One's complement sum of a header without options, in the order of memory. */
static inline uint64_t ip_sum(const uint8_t *ip)
{
  uint32_t words[5];
  memcpy(words, ip, IP_LEN);
  return (uint64_t)words[0] + words[1] + words[2] + words[3] + words[4];
}

static inline bool is_intact(const uint8_t *ip)
{
  return fold(ip_sum(ip)) == 0xffff;
}

static inline bool has_ports(uint32_t protocol)
{
  return protocol == PROTO_TCP || protocol == PROTO_UDP;
}

/* A whole IPv4 packet with a right checksum that is no fragment (options are left to a slower path). */
static inline bool parse(const uint8_t *frame, uint32_t length, struct tuple *tuple)
{
  const uint8_t *ip = frame + ETH_LEN;
  if (length < ETH_LEN + IP_LEN + UDP_LEN || get16(frame + 12) != 0x0800 || ip[0] != 0x45) return false;
  const uint32_t total = get16(ip + 2);
  if (total < IP_LEN + UDP_LEN || total > length - ETH_LEN || !is_intact(ip)) return false;
  if ((get16(ip + 6) & 0x3fff) != 0) return false;
  tuple->src = get32(ip + 12);
  tuple->dst = get32(ip + 16);
  tuple->protocol = ip[9];
  tuple->ports = has_ports(tuple->protocol) ? get32(ip + IP_LEN) : 0;
  return tuple->dst < 0xe0000000;
}

/* A checksum after a 32-bit field went from one value to another (RFC 1624), all in the order of memory. */
static inline uint16_t patched(uint16_t checksum, uint32_t from, uint32_t to)
{
  return (uint16_t)~fold((uint64_t)(uint16_t)~checksum + (uint32_t)~from + to);
}

/* One hop nearer, as Linux' ip_decrease_ttl: a checksum of 0xffff becomes 0. False where the TTL does not last. */
static inline bool age(uint8_t *ip)
{
  if (ip[8] <= 1) return false;
  uint16_t checksum;
  memcpy(&checksum, ip + 10, 2);
  ip[8]--;
  const uint32_t sum = checksum + 1u;
  checksum = (uint16_t)(sum + (sum >= 0xffff));
  memcpy(ip + 10, &checksum, 2);
  return true;
}

/* Gives the packet another destination, with both checksums patched; a UDP checksum of 0 stays. */
static inline void redirect(uint8_t *ip, uint32_t dst, uint32_t port)
{
  uint8_t *checksum_at = ip + IP_LEN + (ip[9] == PROTO_UDP ? 6 : 16);
  uint32_t old_dst, new_dst = __builtin_bswap32(dst);
  uint16_t old_port, new_port = __builtin_bswap16((uint16_t)port), checksum;
  memcpy(&old_dst, ip + 16, 4);
  memcpy(&old_port, ip + IP_LEN + 2, 2);
  memcpy(&checksum, ip + 10, 2);
  checksum = patched(checksum, old_dst, new_dst);
  memcpy(ip + 10, &checksum, 2);
  memcpy(ip + 16, &new_dst, 4);
  memcpy(ip + IP_LEN + 2, &new_port, 2);
  memcpy(&checksum, checksum_at, 2);
  if (checksum == 0 && ip[9] == PROTO_UDP) return;
  const uint64_t sum = (uint64_t)(uint16_t)~checksum + (uint32_t)~old_dst + new_dst + (uint16_t)~old_port + new_port;
  checksum = (uint16_t)~fold(sum);
  if (checksum == 0 && ip[9] == PROTO_UDP) checksum = 0xffff;
  memcpy(checksum_at, &checksum, 2);
}

static inline uint32_t hash_tuple(const struct tuple *tuple)
{
  uint64_t words[2];
  memcpy(words, tuple, sizeof words);
  return rte_hash_crc_8byte(words[1], rte_hash_crc_8byte(words[0], 0));
}

#endif
