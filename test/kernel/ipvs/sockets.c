/*
 * Clients and servers whose connections their kernels make: sockets of two network namespaces.
 *
 *   sockets CLIENTS SERVERS PORT...   servers listen to these ports, of both families
 *
 * Standard input holds orders, a line each, about a connection by its number:
 *
 *   open N tcp|udp CLIENT PORT ADDRESS PORT
 *   say N client|server       some octets; a server of UDP answers the last it has heard
 *   close N client|server
 *   reset N client|server
 *
 * Each is answered by a line "done STATUS" on standard output. A server that has heard nobody does nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TALKS_MAX = 4096, LISTENERS_MAX = 16, BACKLOG = 512, ADDRESS_LEN = 64, LINE_LEN = 256 };

struct talk {
  int is_udp, client, server;
  struct sockaddr_in6 from; /* the client, of IPv4 as a mapped address */
  struct sockaddr_in6 heard_at;
  struct in6_addr heard_as;
};

static struct talk talks[TALKS_MAX];
static int listeners[LISTENERS_MAX], datagrams[LISTENERS_MAX], listener_count;

static void fail(const char *what) {
  fprintf(stderr, "sockets: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int space_of(const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path);
  return file;
}

static void enter(int space) {
  if (setns(space, CLONE_NEWNET) != 0) fail("setns");
}

static void allow(int made, int level, int option) {
  const int yes = 1;
  if (setsockopt(made, level, option, &yes, sizeof yes) != 0) fail("setsockopt");
}

/* Sockets of IPv6 take IPv4 too, as mapped addresses. */
static int open_socket(int type) {
  const int no = 0;
  int made = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made < 0) fail("socket");
  allow(made, SOL_SOCKET, SO_REUSEADDR);
  allow(made, IPPROTO_IP, IP_FREEBIND);
  allow(made, IPPROTO_IPV6, IPV6_FREEBIND);
  if (setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0) fail("IPV6_V6ONLY");
  return made;
}

static int open_listener(int type, int port) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  int made = open_socket(type);
  if (bind(made, (struct sockaddr *)&any, sizeof any) != 0) fail("bind");
  if (type == SOCK_STREAM && listen(made, BACKLOG) != 0) fail("listen");
  if (type == SOCK_DGRAM) allow(made, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  return made;
}

static struct sockaddr_in6 end_of(const char *address, const char *port) {
  char mapped[ADDRESS_LEN + 8];
  struct sockaddr_in6 end = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
  snprintf(mapped, sizeof mapped, strchr(address, ':') == NULL ? "::ffff:%s" : "%s", address);
  if (inet_pton(AF_INET6, mapped, &end.sin6_addr) != 1) fail(address);
  return end;
}

static struct talk *talk_from(const struct sockaddr_in6 *client) {
  for (int i = 0; i < TALKS_MAX; i++) {
    const struct sockaddr_in6 *from = &talks[i].from;
    if (from->sin6_port == client->sin6_port && memcmp(&from->sin6_addr, &client->sin6_addr, 16) == 0) return &talks[i];
  }
  return NULL;
}

/* Servers take what has come in. */
static void take_connections(int listener) {
  struct sockaddr_in6 client;
  socklen_t size = sizeof client;
  for (int made; (made = accept4(listener, (struct sockaddr *)&client, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    struct talk *talk = talk_from(&client);
    if (talk == NULL) close(made);
    else talk->server = made;
  }
}

static void take_datagrams(int socket) {
  char octets[64], control[256];
  struct sockaddr_in6 client;
  struct iovec into = {octets, sizeof octets};
  while (1) {
    struct msghdr message = {&client, sizeof client, &into, 1, control, sizeof control, 0};
    if (recvmsg(socket, &message, 0) < 0) return;
    struct talk *talk = talk_from(&client);
    if (talk == NULL) continue;
    talk->server = socket;
    talk->heard_at = client;
    for (struct cmsghdr *beside = CMSG_FIRSTHDR(&message); beside != NULL; beside = CMSG_NXTHDR(&message, beside))
      if (beside->cmsg_type == IPV6_PKTINFO) talk->heard_as = ((struct in6_pktinfo *)CMSG_DATA(beside))->ipi6_addr;
  }
}

static int open_talk(struct talk *talk, int is_udp, struct sockaddr_in6 from, struct sockaddr_in6 to) {
  if (talk->client >= 0) close(talk->client);
  *talk = (struct talk){.is_udp = is_udp, .client = open_socket(is_udp ? SOCK_DGRAM : SOCK_STREAM), .server = -1, .from = from};
  if (bind(talk->client, (struct sockaddr *)&from, sizeof from) != 0) return errno;
  return connect(talk->client, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS ? 0 : errno;
}

/* From the address that the client has asked. */
static int answer(struct talk *talk) {
  static char octets[] = "an answer";
  char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
  struct iovec from = {octets, sizeof octets};
  struct msghdr message = {&talk->heard_at, sizeof talk->heard_at, &from, 1, control, sizeof control, 0};
  struct cmsghdr *beside = CMSG_FIRSTHDR(&message);
  *beside = (struct cmsghdr){CMSG_LEN(sizeof(struct in6_pktinfo)), IPPROTO_IPV6, IPV6_PKTINFO};
  memcpy(CMSG_DATA(beside), &(struct in6_pktinfo){.ipi6_addr = talk->heard_as}, sizeof(struct in6_pktinfo));
  return sendmsg(talk->server, &message, 0) < 0 ? errno : 0;
}

static int say(struct talk *talk, int is_server) {
  if (talk->is_udp && is_server) return answer(talk);
  return send(is_server ? talk->server : talk->client, "some words", 10, MSG_NOSIGNAL) < 0 ? errno : 0;
}

/* What was not read would make a close a reset. */
static void read_all(int socket) {
  char octets[256];
  while (recv(socket, octets, sizeof octets, 0) > 0) {
  }
}

static int leave(struct talk *talk, int is_server, int resets) {
  const struct linger at_once = {1, 0};
  int *socket = is_server ? &talk->server : &talk->client;
  if (talk->is_udp && is_server) return 0;
  read_all(*socket);
  if (resets) setsockopt(*socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(*socket);
  *socket = -1;
  return 0;
}

static int take(const char *line) {
  char verb[16], who[16], from[ADDRESS_LEN], from_port[8], to[ADDRESS_LEN], to_port[8];
  unsigned number;
  if (sscanf(line, "%15s %u %15s %63s %7s %63s %7s", verb, &number, who, from, from_port, to, to_port) < 3 || number >= TALKS_MAX)
    return EINVAL;
  struct talk *talk = &talks[number];
  if (strcmp(verb, "open") == 0)
    return open_talk(talk, strcmp(who, "udp") == 0, end_of(from, from_port), end_of(to, to_port));
  const int is_server = strcmp(who, "server") == 0;
  if ((is_server ? talk->server : talk->client) < 0) return 0;
  if (strcmp(verb, "say") == 0) return say(talk, is_server);
  return leave(talk, is_server, strcmp(verb, "reset") == 0);
}

int main(int argc, char **argv) {
  char line[LINE_LEN];
  if (argc < 4 || argc - 3 > LISTENERS_MAX) {
    fprintf(stderr, "usage: sockets CLIENTS SERVERS PORT...\n");
    return 2;
  }
  for (int i = 0; i < TALKS_MAX; i++) talks[i].client = talks[i].server = -1;
  int clients = space_of(argv[1]);
  enter(space_of(argv[2]));
  for (listener_count = 0; listener_count < argc - 3; listener_count++) {
    listeners[listener_count] = open_listener(SOCK_STREAM, atoi(argv[3 + listener_count]));
    datagrams[listener_count] = open_listener(SOCK_DGRAM, atoi(argv[3 + listener_count]));
  }
  enter(clients);
  while (fgets(line, sizeof line, stdin) != NULL) {
    int status = take(line);
    for (int i = 0; i < listener_count; i++) {
      take_connections(listeners[i]);
      take_datagrams(datagrams[i]);
    }
    printf("done %d 0\n", status);
    fflush(stdout);
  }
  return 0;
}
