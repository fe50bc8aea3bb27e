#include "node.h"

#include <stdlib.h>

#include "routes.h"

/* A row of hops.bin: packetyard's own entry for a next hop (assembly/abi/entry.ts, NEXT_HOP_…). */
struct hop_row {
  uint32_t kind, out, mtu, source;
  uint8_t dst_mac[6], src_mac[6];
  uint32_t flags, vni, port, outer_src, outer_dst;
  uint8_t outer_dst_mac[6], outer_src_mac[6];
  uint32_t leave, options_length;
  uint8_t options[28];
  uint32_t source6[4], refusal;
};

_Static_assert(sizeof(struct hop_row) == 116, "a next hop's row has 116 octets");

struct node node;

static void fill(struct hop *hop, const struct hop_row *row)
{
  uint8_t *ip = hop->outer + ETH_LEN, *udp = ip + IP_LEN;
  hop->kind = row->kind;
  hop->mtu = row->mtu;
  memcpy(hop->macs, row->dst_mac, 12);
  memcpy(hop->outer, row->outer_dst_mac, 12);
  put16(hop->outer + 12, 0x0800);
  ip[0] = 0x45;
  ip[8] = 64;
  ip[9] = PROTO_UDP;
  put32(ip + 12, row->outer_src);
  put32(ip + 16, row->outer_dst);
  hop->outer_sum = fold(ip_sum(ip));
  put16(udp + 2, row->port);
  udp[UDP_LEN] = VXLAN_FLAG_VNI;
  put32(udp + UDP_LEN + 4, row->vni << 8);
}

void node_open(const char *folder)
{
  size_t count, octets;
  struct route4 *routes = routes4_read(folder, &count);
  struct hop_row *rows = read_file(folder, "hops.bin", &octets);
  if (octets % sizeof *rows != 0) fail("hops.bin has rows of another length");
  node.hop_count = octets / sizeof *rows;
  node.hops = take(node.hop_count * sizeof *node.hops);
  node.outer_id = 0;
  for (size_t i = 0; i < node.hop_count; i++) fill(&node.hops[i], &rows[i]);
  for (size_t i = 0; i < count; i++) {
    if (routes[i].next_hop >= node.hop_count) fail("route %zu names a next hop that is not there", i);
  }
  node.lpm = lpm_of(routes, count);
  free(rows);
  free(routes);
}
