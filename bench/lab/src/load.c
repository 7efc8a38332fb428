/* load: client side load generator for MTProto proxies. One JSON line on stdout, exit 0 only without any error. */
#define _GNU_SOURCE
#include "ld.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/resource.h>

struct cfg cfg = {.dc = 2,
    .conns = 4,
    .secs = 5,
    .warmup = 1,
    .nframes = 1,
    .tls_record = 2878,
    .src_addrs = 1000,
    .rounds = 1,
    .domain = "localhost"};
struct totals tot;
struct hist h_rtt, h_conn;
bool opt_verbose;

static void set_proto(const char *s) {
  cfg.has_secret = strncmp(s, "direct-", 7) != 0;
  if (!cfg.has_secret) s += 7;
  if (!strcmp(s, "abridged")) cfg.proto = P_ABRIDGED;
  else if (!strcmp(s, "intermediate")) cfg.proto = P_INTERMEDIATE;
  else if (!strcmp(s, "dd") || !strcmp(s, "secure")) cfg.proto = P_PADDED;
  else if (!strcmp(s, "ee") || !strcmp(s, "tls")) { cfg.proto = P_PADDED; cfg.tls = true; }
  else if (!strcmp(s, "web")) { cfg.proto = P_PADDED; cfg.web = true; }
  else die("unknown protocol %s", s);
}
int main(int argc, char **argv) {
  enum {
    O_HOST = 256,
    O_PORT,
    O_PROTO,
    O_SECRET,
    O_DOMAIN,
    O_DC,
    O_SCEN,
    O_SECS,
    O_WARM,
    O_FRAME,
    O_WINDOW,
    O_NFRAMES,
    O_REC,
    O_SRC,
    O_HOLD,
    O_QA,
    O_RST,
    O_FRAG,
    O_BIG,
    O_ROUNDS,
    O_V
  };
  static const struct option lo[] = {{"host", 1, 0, O_HOST}, {"port", 1, 0, O_PORT}, {"proto", 1, 0, O_PROTO},
      {"secret", 1, 0, O_SECRET}, {"domain", 1, 0, O_DOMAIN}, {"dc", 1, 0, O_DC}, {"scenario", 1, 0, O_SCEN}, {"conns", 1, 0, 'c'},
      {"secs", 1, 0, O_SECS}, {"warmup", 1, 0, O_WARM}, {"frame", 1, 0, O_FRAME}, {"window", 1, 0, O_WINDOW},
      {"nframes", 1, 0, O_NFRAMES}, {"tls-record", 1, 0, O_REC}, {"src-addrs", 1, 0, O_SRC}, {"hold", 1, 0, O_HOLD},
      {"quickack", 0, 0, O_QA}, {"rst", 0, 0, O_RST}, {"frag", 0, 0, O_FRAG}, {"big-hello", 0, 0, O_BIG}, {"rounds", 1, 0, O_ROUNDS},
      {"verbose", 0, 0, O_V}, {0}};
  const char *host = "127.0.0.1";
  int port = 0;
  cfg.scenario = "echo-rtt";
  set_proto("dd");
  for (int o; (o = getopt_long(argc, argv, "c:", lo, NULL)) != -1;) switch (o) {
    case O_HOST: host = optarg; break;
    case O_PORT: port = atoi(optarg); break;
    case O_PROTO: set_proto(optarg); break;
    case O_SECRET: if (hex_decode(optarg, cfg.secret, 16) != 16) die("secret: 32 hex digits, without the dd/ee prefix"); break;
    case O_DOMAIN: snprintf(cfg.domain, sizeof cfg.domain, "%s", optarg); break;
    case O_DC: cfg.dc = (int16_t)atoi(optarg); break;
    case O_SCEN: cfg.scenario = optarg; break;
    case 'c': cfg.conns = (unsigned)atoi(optarg); break;
    case O_SECS: cfg.secs = (unsigned)atoi(optarg); break;
    case O_WARM: cfg.warmup = (unsigned)atoi(optarg); break;
    case O_FRAME: cfg.frame = (unsigned)atoi(optarg); break;
    case O_WINDOW: cfg.window = (unsigned)atoi(optarg); break;
    case O_NFRAMES: cfg.nframes = (unsigned)atoi(optarg); break;
    case O_REC: cfg.tls_record = (unsigned)atoi(optarg); break;
    case O_SRC: cfg.src_addrs = (unsigned)atoi(optarg); break;
    case O_HOLD: cfg.hold = (unsigned)atoi(optarg); break;
    case O_QA: cfg.quickack = true; break;
    case O_RST: cfg.rst = true; break;
    case O_FRAG: cfg.frag = true; break;
    case O_BIG: cfg.big_hello = true; break;
    case O_ROUNDS: cfg.rounds = (unsigned)atoi(optarg); break;
    case O_V: opt_verbose = true; break;
    default: die("see README.md");
    }
  cfg.dst = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (!port || inet_pton(AF_INET, host, &cfg.dst.sin_addr) != 1 || (ntohl(cfg.dst.sin_addr.s_addr) >> 24) != 127)
    die("need --port, and a 127.x.x.x host");
  if (!cfg.conns || !cfg.src_addrs || cfg.tls_record < 64 || cfg.tls_record > 16384) die("bad argument");
  if (cfg.web && cfg.frag) die("--frag cuts what is below TLS");
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  if (cfg.conns + 16 > rl.rlim_max) die("open files limit %lu is too small", (unsigned long)rl.rlim_max);
  pattern_init();
  lc_init();
  return run_scenario();
}
