/*
 * Plays what it is told to a node in the kernel, and says at once what the node took in and gave out.
 *
 *   player NODE ENDS WAY...   namespaces of the node and of the far ends of its wires; the wires
 *
 * Standard input holds orders, a line each:
 *
 *   frame WAY HEX             sends an Ethernet frame from the far end of a wire
 *   feed LENGTH PROGRAM WORD...  runs a program in the node, which reads so many octets that stand behind the line
 *   read PATH                 of a file of the node's /proc/net
 *   news PATH                 the same, but nothing if it is as it was when it was last asked for
 *   restore LENGTH            hands so many octets that stand behind the line to "ipvsadm --restore", which goes on reading
 *   set NAME VALUE            a setting of the node's, by its path below /proc/sys
 *   wait MILLISECONDS
 *
 * Each is answered by lines on standard output: "in WAY HEX" and "out WAY HEX", packets in the order in which the node saw them,
 * "> TEXT", what was read or what a program said, and at last "done STATUS MILLISECONDS", the time since this program began.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAYS_MAX = 8, WORDS_MAX = 16, FRAME_MAX = 4096, LINE_MAX_ = 2 * FRAME_MAX + 64, NEWS_MAX = 1 << 16, RECEIVE_BUFFER = 8 << 20 };

struct way {
  const char *name;
  int link;  /* a socket at the far end */
  int index; /* of the node's interface */
};

static struct way ways[WAYS_MAX];
static int way_count, capture, statistics;

static void fail(const char *what) {
  fprintf(stderr, "player: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long milliseconds(void) {
  static struct timespec began;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (began.tv_sec == 0) began = now;
  return (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000;
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
  int made = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (to.sll_ifindex == 0 || made < 0 || bind(made, (struct sockaddr *)&to, sizeof to) != 0) fail(device);
  return made;
}

static void open_capture(void) {
  int buffer = RECEIVE_BUFFER;
  capture = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (capture < 0) fail("capture");
  if (setsockopt(capture, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) fail("SO_RCVBUFFORCE");
}

static struct way *way_of(const char *name, int index) {
  for (int i = 0; i < way_count; i++)
    if (name != NULL ? strcmp(ways[i].name, name) == 0 : ways[i].index == index) return &ways[i];
  return NULL;
}

/* Packets that wait for the kernel to take them in (12th column of /proc/net/softnet_stat; there is one processor). */
static unsigned waiting(void) {
  char line[256];
  unsigned queue = 0;
  ssize_t length = pread(statistics, line, sizeof line - 1, 0);
  if (length <= 0) fail("/proc/net/softnet_stat");
  line[length] = 0;
  sscanf(line, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x", &queue);
  return queue;
}

static void put_hex(const uint8_t *octets, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    putchar(digits[octets[i] >> 4]);
    putchar(digits[octets[i] & 15]);
  }
  putchar('\n');
}

/* Says what the node has seen since it was last asked. */
static void put_seen(void) {
  static uint8_t frame[FRAME_MAX];
  while (waiting() > 0) sched_yield();
  while (1) {
    struct sockaddr_ll at;
    socklen_t size = sizeof at;
    ssize_t length = recvfrom(capture, frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&at, &size);
    if (length < 0) return;
    struct way *way = way_of(NULL, at.sll_ifindex);
    if (way == NULL) continue;
    printf("%s %s ", at.sll_pkttype == PACKET_OUTGOING ? "out" : "in", way->name);
    put_hex(frame, (size_t)length);
  }
}

static size_t octets_of(const char *hex, uint8_t *octets) {
  size_t length = 0;
  for (unsigned octet; length < FRAME_MAX && sscanf(hex + 2 * length, "%2x", &octet) == 1; length++) octets[length] = (uint8_t)octet;
  return length;
}

static int send_frame(char *words) {
  static uint8_t frame[FRAME_MAX];
  char *hex = strchr(words, ' ');
  if (hex == NULL) return 1;
  *hex++ = 0;
  struct way *way = way_of(words, 0);
  if (way == NULL) return 1;
  size_t length = octets_of(hex, frame);
  return send(way->link, frame, length, 0) != (ssize_t)length;
}

static void put_lines(FILE *from) {
  char line[1024];
  while (fgets(line, sizeof line, from) != NULL) printf("> %.*s\n", (int)strcspn(line, "\n"), line);
}

static int read_file(const char *path) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return 1;
  put_lines(file);
  fclose(file);
  return 0;
}

/* The last octet of what is read is 0. */
static size_t read_whole(const char *path, char *text, size_t room) {
  size_t length = 0;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path);
  for (ssize_t part; length + 1 < room && (part = read(file, text + length, room - 1 - length)) > 0;) length += (size_t)part;
  close(file);
  text[length] = 0;
  return length;
}

static int put_news(const char *path) {
  static char known[NEWS_MAX], text[NEWS_MAX];
  size_t length = read_whole(path, text, sizeof text);
  if (strcmp(known, text) == 0) return 0;
  memcpy(known, text, length + 1);
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) printf("> %s\n", line);
  return 0;
}

static int set(char *name) {
  char *value = strchr(name, ' ');
  if (value == NULL) return 1;
  *value++ = 0;
  int settings = open("/proc/sys", O_PATH | O_CLOEXEC);
  int file = openat(settings, name, O_WRONLY | O_CLOEXEC);
  close(settings);
  if (file < 0) return 1;
  ssize_t length = write(file, value, strlen(value));
  close(file);
  return length != (ssize_t)strlen(value);
}

static int split(char *text, char **words) {
  int count = 0;
  for (char *word = strtok(text, " "); word != NULL && count < WORDS_MAX - 1; word = strtok(NULL, " ")) words[count++] = word;
  words[count] = NULL;
  return count;
}

/* A file without a name, so that neither side has to wait for the other. */
static FILE *scratch(void) {
  int made = memfd_create("player", 0);
  FILE *file = made < 0 ? NULL : fdopen(made, "w+");
  if (file == NULL) fail("memfd_create");
  return file;
}

static int feed(char *order) {
  char *words[WORDS_MAX];
  if (split(order, words) < 2) return 1;
  FILE *input = scratch(), *output = scratch();
  for (long left = atol(words[0]); left > 0; left--) putc(getchar(), input);
  fflush(input);
  fseek(input, 0, SEEK_SET);
  lseek(fileno(input), 0, SEEK_SET);
  pid_t child = vfork();
  if (child < 0) fail("fork");
  if (child == 0) {
    dup2(fileno(input), 0);
    dup2(fileno(output), 1);
    dup2(fileno(output), 2);
    execvp(words[1], words + 1);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  rewind(output);
  put_lines(output);
  fclose(input);
  fclose(output);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static struct {
  pid_t child;
  int input, output;
  off_t told; /* so much of its output was said */
} restoring;

static void start_restoring(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
  restoring.input = ends[1];
  restoring.output = memfd_create("ipvsadm", MFD_CLOEXEC);
  restoring.child = vfork();
  if (restoring.child < 0 || restoring.output < 0) fail("fork");
  if (restoring.child == 0) {
    dup2(ends[0], 0);
    dup2(restoring.output, 1);
    dup2(restoring.output, 2);
    execlp("ipvsadm", "ipvsadm", "--restore", NULL);
    _exit(127);
  }
  close(ends[0]);
}

/* Whether a program sleeps so that a signal would wake it: it waits for what it reads. */
static int is_waiting(pid_t child) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? 0 : read(file, line, sizeof line - 1);
  if (file >= 0) close(file);
  line[length > 0 ? length : 0] = 0;
  char *name_end = strrchr(line, ')');
  return name_end == NULL || name_end[2] == 'S' || name_end[2] == 'Z';
}

static void put_output(void) {
  char text[1024];
  FILE *lines = scratch();
  for (ssize_t length; (length = pread(restoring.output, text, sizeof text, restoring.told)) > 0; restoring.told += length)
    fwrite(text, 1, (size_t)length, lines);
  rewind(lines);
  put_lines(lines);
  fclose(lines);
}

static int restore(long left) {
  int unread = 0;
  if (restoring.child == 0) start_restoring();
  for (char text[1024]; left > 0;) {
    size_t length = fread(text, 1, left < (long)sizeof text ? (size_t)left : sizeof text, stdin);
    if (length == 0 || write(restoring.input, text, length) != (ssize_t)length) fail("ipvsadm --restore");
    left -= (long)length;
  }
  do {
    sched_yield();
    if (ioctl(restoring.input, FIONREAD, &unread) != 0) fail("FIONREAD");
  } while (unread > 0 || !is_waiting(restoring.child));
  put_output();
  return kill(restoring.child, 0) != 0;
}

static int take(char *line) {
  line[strcspn(line, "\n")] = 0;
  if (strncmp(line, "frame ", 6) == 0) return send_frame(line + 6);
  if (strncmp(line, "feed ", 5) == 0) return feed(line + 5);
  if (strncmp(line, "restore ", 8) == 0) return restore(atol(line + 8));
  if (strncmp(line, "read ", 5) == 0) return read_file(line + 5);
  if (strncmp(line, "news ", 5) == 0) return put_news(line + 5);
  if (strncmp(line, "set ", 4) == 0) return set(line + 4);
  if (strncmp(line, "wait ", 5) == 0) return usleep((useconds_t)atol(line + 5) * 1000);
  return 1;
}

int main(int argc, char **argv) {
  static char line[LINE_MAX_];
  if (argc < 4 || argc - 3 > WAYS_MAX) {
    fprintf(stderr, "usage: player NODE ENDS WAY...\n");
    return 2;
  }
  way_count = argc - 3;
  enter(argv[2]);
  for (int i = 0; i < way_count; i++) ways[i] = (struct way){argv[i + 3], open_link(argv[i + 3]), 0};
  enter(argv[1]);
  for (int i = 0; i < way_count; i++) ways[i].index = (int)if_nametoindex(ways[i].name);
  open_capture();
  statistics = open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
  milliseconds();
  while (fgets(line, sizeof line, stdin) != NULL) {
    int status = take(line);
    put_seen();
    printf("done %d %ld\n", status, milliseconds());
    fflush(stdout);
  }
  return 0;
}
