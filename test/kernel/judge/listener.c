/*
 * Hears what is delivered to this network namespace's own programs, and writes it to standard output as a pcap file of
 * raw IPv4 packets. A policy of "ip xfrm" that blocks all input keeps the stack from answering: these sockets are exempt.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/in.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PROTOCOLS = 4, PACKET_MAX = 65535, RECEIVE_BUFFER = 64 << 20, LINKTYPE_RAW = 101 };

static const int protocols[PROTOCOLS] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP};

static void fail(const char *what) {
  fprintf(stderr, "listener: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int open_raw(int protocol) {
  struct xfrm_userpolicy_info exempt = {.sel.family = AF_INET, .dir = XFRM_POLICY_IN, .action = XFRM_POLICY_ALLOW};
  int buffer = RECEIVE_BUFFER;
  int made = socket(AF_INET, SOCK_RAW, protocol);
  if (made < 0) fail("socket");
  setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (setsockopt(made, IPPROTO_IP, IP_XFRM_POLICY, &exempt, sizeof exempt) != 0) fail("IP_XFRM_POLICY");
  return made;
}

static void put(const void *octets, size_t length) {
  if (fwrite(octets, 1, length, stdout) != length) exit(0);
}

static void put_packet(const uint8_t *packet, uint32_t length) {
  struct timeval now;
  gettimeofday(&now, NULL);
  uint32_t head[4] = {(uint32_t)now.tv_sec, (uint32_t)now.tv_usec, length, length};
  put(head, sizeof head);
  put(packet, length);
}

int main(void) {
  static uint8_t packet[PACKET_MAX];
  const uint32_t file[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, PACKET_MAX, LINKTYPE_RAW};
  struct pollfd heard[PROTOCOLS];
  for (int i = 0; i < PROTOCOLS; i++) heard[i] = (struct pollfd){.fd = open_raw(protocols[i]), .events = POLLIN};
  put(file, sizeof file);
  fflush(stdout);
  fprintf(stderr, "listening on raw sockets\n");
  while (poll(heard, PROTOCOLS, -1) >= 0) {
    for (int i = 0; i < PROTOCOLS; i++) {
      ssize_t length;
      while ((length = recv(heard[i].fd, packet, sizeof packet, MSG_DONTWAIT)) > 0) put_packet(packet, (uint32_t)length);
    }
    fflush(stdout);
  }
  return 0;
}
