/*
 * Hears what is delivered to this network namespace's own programs, and writes it to standard output as a pcap file of
 * raw IP packets.
 *
 *   listener nflog GROUP   what a rule logs to an NFLOG group
 *   listener sockets       what raw sockets of both families get, even where a policy of "ip xfrm" blocks all input, which keeps the
 *                          stack from answering: these sockets are exempt from it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { RAWS = 8, DATAGRAMS = 0, HEARD_MAX = 1 << 18, RECEIVE_BUFFER = 64 << 20, LINKTYPE_RAW = 101, IP6_LEN = 40 };

/* Of one family and protocol. */
struct kind {
  int family;
  int protocol;
};

static const struct kind kinds[RAWS] = {
    [DATAGRAMS] = {AF_INET, IPPROTO_UDP}, {AF_INET, IPPROTO_TCP},  {AF_INET, IPPROTO_ICMP},    {AF_INET, IPPROTO_SCTP},
    {AF_INET6, IPPROTO_UDP},              {AF_INET6, IPPROTO_TCP}, {AF_INET6, IPPROTO_ICMPV6}, {AF_INET6, IPPROTO_SCTP},
};

static void fail(const char *what) {
  fprintf(stderr, "listener: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int open_socket(int family, int type, int protocol) {
  int buffer = RECEIVE_BUFFER;
  int made = socket(family, type, protocol);
  if (made < 0) fail("socket");
  if (setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) fail("SO_RCVBUFFORCE");
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

static void begin(const char *how) {
  const uint32_t file[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, HEARD_MAX, LINKTYPE_RAW};
  put(file, sizeof file);
  fflush(stdout);
  fprintf(stderr, "listening on %s\n", how);
}

static void allow(int made, int level, int option) {
  const int yes = 1;
  if (setsockopt(made, level, option, &yes, sizeof yes) != 0) fail("setsockopt");
}

/* An IPv6 socket says beside a packet what its header had. */
static int open_raw(struct kind kind) {
  const int is6 = kind.family == AF_INET6;
  struct xfrm_userpolicy_info exempt = {
      .sel.family = (uint16_t)kind.family, .dir = XFRM_POLICY_IN, .action = XFRM_POLICY_ALLOW};
  int made = open_socket(kind.family, SOCK_RAW, kind.protocol);
  if (setsockopt(made, is6 ? IPPROTO_IPV6 : IPPROTO_IP, is6 ? IPV6_XFRM_POLICY : IP_XFRM_POLICY, &exempt, sizeof exempt) != 0)
    fail("XFRM_POLICY");
  if (is6) {
    allow(made, IPPROTO_IPV6, IPV6_RECVPKTINFO);
    allow(made, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
    allow(made, IPPROTO_IPV6, IPV6_FLOWINFO);
  }
  return made;
}

/* The header of a packet of so many octets behind it, of what a socket says beside it (RFC 3542). */
static void restore_header(uint8_t *header, struct msghdr *message, size_t length, int protocol) {
  memset(header, 0, IP6_LEN);
  for (struct cmsghdr *beside = CMSG_FIRSTHDR(message); beside != NULL; beside = CMSG_NXTHDR(message, beside)) {
    const uint8_t *said = CMSG_DATA(beside);
    if (beside->cmsg_type == IPV6_FLOWINFO) memcpy(header, said, 4);
    if (beside->cmsg_type == IPV6_HOPLIMIT) header[7] = (uint8_t) * (const int *)said;
    if (beside->cmsg_type == IPV6_PKTINFO) memcpy(header + 24, said, 16);
  }
  header[0] |= 0x60;
  header[4] = (uint8_t)(length >> 8);
  header[5] = (uint8_t)length;
  header[6] = (uint8_t)protocol;
  memcpy(header + 8, &((struct sockaddr_in6 *)message->msg_name)->sin6_addr, 16);
}

/* A waiting packet with its header; 0 or less where there is none. */
static ssize_t take(int raw, struct kind kind, uint8_t *heard) {
  if (kind.family == AF_INET) return recv(raw, heard, HEARD_MAX, MSG_DONTWAIT);
  struct sockaddr_in6 from;
  _Alignas(struct cmsghdr) uint8_t beside[256];
  struct iovec behind = {.iov_base = heard + IP6_LEN, .iov_len = HEARD_MAX - IP6_LEN};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &behind,
                           .msg_iovlen = 1,
                           .msg_control = beside,
                           .msg_controllen = sizeof beside};
  ssize_t length = recvmsg(raw, &message, MSG_DONTWAIT);
  if (length <= 0) return length;
  restore_header(heard, &message, (size_t)length, kind.protocol);
  return length + IP6_LEN;
}

/* A datagram is put behind all that came before it by the other sockets: it may be the one that says it was the last. */
static void hear_sockets(uint8_t *heard) {
  struct pollfd raw[RAWS];
  uint8_t *datagram = malloc(HEARD_MAX);
  if (datagram == NULL) fail("malloc");
  for (int i = 0; i < RAWS; i++) raw[i] = (struct pollfd){.fd = open_raw(kinds[i]), .events = POLLIN};
  begin("raw sockets");
  while (poll(raw, RAWS, -1) >= 0) {
    ssize_t last, length;
    do {
      last = take(raw[DATAGRAMS].fd, kinds[DATAGRAMS], datagram);
      for (int i = 0; i < RAWS; i++)
        while (i != DATAGRAMS && (length = take(raw[i].fd, kinds[i], heard)) > 0) put_packet(heard, (uint32_t)length);
      if (last > 0) put_packet(datagram, (uint32_t)last);
    } while (last > 0);
    fflush(stdout);
  }
}

/* One request to nfnetlink_log about a group, with one attribute. */
static void ask_log(int log, uint16_t group, uint16_t type, const void *value, uint16_t length) {
  struct {
    struct nlmsghdr head;
    struct nfgenmsg about;
    struct nlattr attribute;
    uint8_t value[16];
  } request = {
      .head = {.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
      .about = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(group)},
      .attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = type},
  };
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    uint8_t rest[256];
  } answer;
  memcpy(request.value, value, length);
  request.head.nlmsg_len = (uint32_t)(sizeof request - sizeof request.value + NLA_ALIGN(length));
  if (send(log, &request, request.head.nlmsg_len, 0) < 0 || recv(log, &answer, sizeof answer, 0) < 0) fail("nfnetlink_log");
  errno = -answer.error.error;
  if (errno != 0) fail("nfnetlink_log");
}

/* The packet that a message of nfnetlink_log is about. */
static void put_logged(const struct nlmsghdr *message) {
  const uint8_t *at = (const uint8_t *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
  const uint8_t *end = (const uint8_t *)message + message->nlmsg_len;
  while (at + NLA_HDRLEN <= end) {
    const struct nlattr *attribute = (const struct nlattr *)at;
    if (attribute->nla_len < NLA_HDRLEN) return;
    if ((attribute->nla_type & NLA_TYPE_MASK) == NFULA_PAYLOAD)
      put_packet(at + NLA_HDRLEN, attribute->nla_len - (uint32_t)NLA_HDRLEN);
    at += NLA_ALIGN(attribute->nla_len);
  }
}

static void hear_log(uint16_t group, uint8_t *heard) {
  struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
  struct nfulnl_msg_config_mode whole = {.copy_range = htonl(0xffff), .copy_mode = NFULNL_COPY_PACKET};
  int log = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  ask_log(log, group, NFULA_CFG_CMD, &bind, sizeof bind);
  ask_log(log, group, NFULA_CFG_MODE, &whole, sizeof whole);
  begin("an NFLOG group");
  while (1) {
    ssize_t length = recv(log, heard, HEARD_MAX, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) {
      fflush(stdout);
      length = recv(log, heard, HEARD_MAX, 0);
    }
    if (length < 0) fail("nfnetlink_log");
    struct nlmsghdr *message = (struct nlmsghdr *)heard;
    for (int left = (int)length; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
      if (message->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)) put_logged(message);
  }
}

int main(int argc, char **argv) {
  uint8_t *heard = malloc(HEARD_MAX);
  if (heard == NULL) fail("malloc");
  if (argc == 2 && strcmp(argv[1], "sockets") == 0) hear_sockets(heard);
  else if (argc == 3 && strcmp(argv[1], "nflog") == 0) hear_log((uint16_t)atoi(argv[2]), heard);
  else fprintf(stderr, "usage: listener nflog GROUP | listener sockets\n");
  return 2;
}
