/*
 * Sends packets by several ways in one order: Ethernet frames by interfaces of other network namespaces, IP packets as
 * though the namespace's own programs had made them.
 *
 *   sender WAY...    a way is NAMESPACE:INTERFACE, or NAMESPACE: for raw IP packets
 *
 * Standard input holds records, little-endian: way (u16), length (u16), octets. A record without octets is answered by
 * one octet on standard output when all before it were sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAYS_MAX = 16, PACKET_MAX = 65535, SEND_BUFFER = 4 << 20, BREATH = 64 };

struct way {
  int link, ip4, ip6;
};

static void fail(const char *what) {
  fprintf(stderr, "sender: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int open_socket(int family, int type, int protocol) {
  int buffer = SEND_BUFFER;
  int made = socket(family, type, protocol);
  if (made < 0) fail("socket");
  setsockopt(made, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  return made;
}

static void enter(const char *space) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", space);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || setns(file, CLONE_NEWNET) != 0) fail(path);
  close(file);
}

static int open_link(const char *device) {
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(device)};
  if (to.sll_ifindex == 0) fail(device);
  int made = open_socket(AF_PACKET, SOCK_RAW, 0);
  if (bind(made, (struct sockaddr *)&to, sizeof to) != 0) fail(device);
  return made;
}

static struct way open_way(char *name) {
  struct way way = {-1, -1, -1};
  char *device = strchr(name, ':');
  if (device == NULL) {
    errno = EINVAL;
    fail(name);
  }
  *device++ = 0;
  enter(name);
  if (*device != 0) {
    way.link = open_link(device);
  } else {
    way.ip4 = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    way.ip6 = open_socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
  }
  return way;
}

/* A refusal is an answer too: EPERM is what netfilter's DROP and REJECT give to the sender. */
static void send_ip(const struct way *way, const uint8_t *packet, size_t length) {
  if (packet[0] >> 4 == 4) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, packet + 16, 4);
    sendto(way->ip4, packet, length, 0, (struct sockaddr *)&to, sizeof to);
  } else {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    memcpy(&to.sin6_addr, packet + 24, 16);
    sendto(way->ip6, packet, length, 0, (struct sockaddr *)&to, sizeof to);
  }
}

static void send_packet(const struct way *way, const uint8_t *packet, size_t length) {
  if (way->link < 0) send_ip(way, packet, length);
  else if (send(way->link, packet, length, 0) != (ssize_t)length) fail("send");
}

/* One processor handles all packets, so that they stay in order. */
static int stay_here(void) {
  int processor = sched_getcpu();
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(processor, &here);
  if (sched_setaffinity(0, sizeof here, &here) != 0) fail("sched_setaffinity");
  return processor;
}

/* Packets that wait for the softirq of a processor (/proc/net/softnet_stat: a line each, 12th its queue, 13th its number). */
static unsigned waiting(FILE *statistics, unsigned processor) {
  char line[256];
  rewind(statistics);
  while (fgets(line, sizeof line, statistics) != NULL) {
    unsigned queue, number;
    if (sscanf(line, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x %x", &queue, &number) == 2 && number == processor)
      return queue;
  }
  return 0;
}

/* The queue between the namespaces holds a thousand packets, and what comes when it is full is lost. */
static void let_through(FILE *statistics, unsigned processor) {
  while (waiting(statistics, processor) > 0) sched_yield();
}

static int read_all(void *into, size_t length) { return fread(into, 1, length, stdin) == length; }

int main(int argc, char **argv) {
  static uint8_t packet[PACKET_MAX];
  struct way ways[WAYS_MAX];
  uint8_t head[4];
  FILE *statistics = fopen("/proc/net/softnet_stat", "r");
  if (statistics == NULL) fail("/proc/net/softnet_stat");
  setvbuf(statistics, NULL, _IONBF, 0);
  if (argc < 2 || argc - 1 > WAYS_MAX) {
    fprintf(stderr, "usage: sender NAMESPACE:[INTERFACE]...\n");
    return 2;
  }
  for (int i = 1; i < argc; i++) ways[i - 1] = open_way(argv[i]);
  unsigned processor = (unsigned)stay_here();
  for (unsigned sent = 1; read_all(head, sizeof head); sent++) {
    unsigned way = head[0] | head[1] << 8;
    size_t length = head[2] | head[3] << 8;
    if (way >= (unsigned)(argc - 1) || !read_all(packet, length)) {
      fprintf(stderr, "sender: a record is cut, or names no way\n");
      return 1;
    }
    if (length > 0) send_packet(&ways[way], packet, length);
    else if (write(STDOUT_FILENO, ".", 1) != 1) fail("write");
    if (sent % BREATH == 0) let_through(statistics, processor);
  }
  return 0;
}
