/* The contract, the random model and the mirror's own promises against a real etcd, which this
 * program starts (Debian's etcd-server, or what $APISIM_ETCD names). */
#include "base/heap.h"
#include "env/env_libevent.h"
#include "store/contract.h"
#include "store/contract_case.h"
#include "store/etcd/etcd_remote.h"
#include "store/mirror.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK ((size_t)4 << 20)
#define S ((int64_t)1000000000)

static struct {
  world *world;
  timers *timers;
  fiber_pool *fibers;
  store *store;
  pid_t etcd;
  int port, peer_port;
  char directory[64], servers[128];
  int prefix; /* of the next store */
  int failures;
} t;

/* One that the kernel gives to nobody while etcd is dead, our own attempts to reach it included. */
static int free_port(void) {
  static int next;
  if (!next) next = 10240 + getpid() % 20000;
  for (;;) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)++next)};
    bool free = bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    if (free) return next;
  }
}

static void etcd_start(void) {
  char client[64], peer[64];
  snprintf(client, sizeof client, "http://127.0.0.1:%d", t.port);
  snprintf(peer, sizeof peer, "http://127.0.0.1:%d", t.peer_port);
  t.etcd = fork();
  if (t.etcd) return;
  int null = open("/dev/null", O_RDWR);
  dup2(null, 1);
  dup2(null, 2);
  const char *binary = getenv("APISIM_ETCD");
  char cluster[96];
  snprintf(cluster, sizeof cluster, "default=%s", peer);
  execlp(binary ? binary : "etcd", "etcd", "--data-dir", t.directory, "--listen-client-urls",
         client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
         "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster, (char *)NULL);
  _exit(127);
}

static void etcd_end(int how) {
  kill(t.etcd, how);
  waitpid(t.etcd, NULL, 0);
  t.etcd = 0;
}

static void settle(int64_t ns) { store_wait_revision(t.store, INT64_MAX, ns); }

static store *make_at(int prefix) {
  char there[32];
  snprintf(there, sizeof there, "/apisim-test-%d/", prefix);
  slice problem;
  etcd_remote_options eo = {.env = world_env(t.world), .timers = t.timers,
                            .servers = slice_cstr(t.servers)};
  mirror_options o = {.remote = etcd_remote_create(&eo, &problem), .env = eo.env,
                      .timers = t.timers, .fibers = t.fibers, .remote_prefix = slice_cstr(there)};
  assert_non_null(o.remote);
  t.store = mirror_create(&o);
  slice why;
  int64_t begun = world_env(t.world)->mono_ns;
  while (!store_is_ready(t.store, &why)) {
    settle(S / 1000);
    if (world_env(t.world)->mono_ns - begun > 60 * S) fail_msg("no etcd for a minute");
  }
  return t.store;
}

static store *make(void) { return make_at(t.prefix++); }

/* On a connection that is dead already, and does not know, nobody can say whether it was done. */
static int64_t create(const char *key) {
  blob *b = blob_copy(SLICE_LIT("v"));
  store_entry *e = NULL;
  store_result r = STORE_UNKNOWN;
  while (r == STORE_UNKNOWN) {
    r = store_create(t.store, slice_cstr(key), b, &e);
    if (r == STORE_UNKNOWN) r = store_get_fresh(t.store, slice_cstr(key), &e);
    if (r == STORE_NOT_FOUND) r = STORE_UNKNOWN;
  }
  assert_int_equal(r, STORE_OK);
  blob_unref(b);
  int64_t revision = e->mod_revision;
  store_entry_unref(e);
  return revision;
}

/* kill -9 between two writes: nothing that was acknowledged is lost, and the watch goes on. */
static void etcd_dies_and_returns(void **state) {
  (void)state;
  make();
  tape seen;
  tape_open(&seen, t.store, "/", store_revision(t.store));
  create("/a");
  etcd_end(SIGKILL);
  fiber_set_deadline(fiber_current(t.fibers), world_env(t.world)->mono_ns + S / 5);
  blob *b = blob_copy(SLICE_LIT("v"));
  assert_int_equal(store_create(t.store, SLICE_LIT("/lost"), b, NULL), STORE_TIMEOUT);
  blob_unref(b);
  fiber_set_deadline(fiber_current(t.fibers), INT64_MAX);
  etcd_start();
  create("/b"); /* waits until it is there */
  assert_int_equal(store_sync(t.store, NULL), STORE_OK);
  int64_t begun = world_env(t.world)->mono_ns;
  while (seen.events < 2 && world_env(t.world)->mono_ns - begun < 30 * S) settle(S / 50);
  check_tape(&seen, "+/a=v +/b=v ");
  store_watch_close(seen.watch);
  store_destroy(t.store);
}

static int syncing, synced;
static void sync_often(void *ctx) {
  (void)ctx;
  syncing++;
  for (int i = 0; i < 200; i++) {
    if (store_sync(t.store, NULL) == STORE_OK) synced++;
  }
  syncing--;
}

/* Readers that wait for each other's question ask the next one in the moment in which the
 * connection is lost. */
static void etcd_dies_under_readers(void **state) {
  (void)state;
  make();
  syncing = synced = 0;
  for (int i = 0; i < 20; i++) fiber_run(t.fibers, sync_often, NULL);
  for (int round = 0; round < 3; round++) {
    settle(S / 50);
    etcd_end(SIGKILL);
    settle(S / 50);
    etcd_start();
    create(round == 0 ? "/a" : round == 1 ? "/b" : "/c");
  }
  int64_t begun = world_env(t.world)->mono_ns;
  while (syncing && world_env(t.world)->mono_ns - begun < 60 * S) settle(S / 50);
  assert_int_equal(syncing, 0);
  assert_int_equal(synced, 4000);
  store_destroy(t.store);
}

static void etcd_is_paused(void **state) {
  (void)state;
  make();
  kill(t.etcd, SIGSTOP);
  waitpid(t.etcd, NULL, WUNTRACED); /* it stands still */
  fiber_set_deadline(fiber_current(t.fibers), world_env(t.world)->mono_ns + S / 5);
  assert_int_equal(store_sync(t.store, NULL), STORE_TIMEOUT);
  fiber_set_deadline(fiber_current(t.fibers), INT64_MAX);
  kill(t.etcd, SIGCONT);
  create("/a");
  store_destroy(t.store);
}

/* Two servers over one etcd: what one wrote, the other reads after sync. */
static void two_mirrors(void **state) {
  (void)state;
  store *one = make();
  store *two = make_at(t.prefix - 1);
  for (int i = 0; i < 50; i++) {
    char key[16];
    snprintf(key, sizeof key, "/k%d", i);
    t.store = i % 2 ? one : two;
    create(key);
    store *other = i % 2 ? two : one;
    int64_t at = 0;
    assert_int_equal(store_sync(other, &at), STORE_OK);
    store_entry *e = NULL;
    assert_int_equal(store_get(other, slice_cstr(key), at, &e), STORE_OK);
    store_entry_unref(e);
  }
  store_destroy(one);
  t.store = two;
  store_destroy(two);
}

static void leases_end(void **state) {
  (void)state;
  make();
  blob *b = blob_copy(SLICE_LIT("v"));
  assert_int_equal(store_create_ttl(t.store, SLICE_LIT("/a"), b, 2, NULL), STORE_OK);
  assert_int_equal(store_create_ttl(t.store, SLICE_LIT("/b"), b, 2, NULL), STORE_OK);
  assert_int_equal(mirror_figures_read(t.store).leases, 2); /* 5 % of 2 s is nothing to share */
  assert_int_equal(store_create_ttl(t.store, SLICE_LIT("/c"), b, 3600, NULL), STORE_OK);
  assert_int_equal(store_create_ttl(t.store, SLICE_LIT("/d"), b, 3600, NULL), STORE_OK);
  assert_int_equal(mirror_figures_read(t.store).leases, 3);
  blob_unref(b);
  store_entry *e = NULL;
  int64_t begun = world_env(t.world)->mono_ns;
  while (store_get(t.store, SLICE_LIT("/a"), 0, &e) == STORE_OK) {
    store_entry_unref(e);
    settle(S / 20);
  }
  assert_true(world_env(t.world)->mono_ns - begun >= S);
  store_destroy(t.store);
}

static void bad_servers_are_refused(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"", "no server"}, {"unix:///tmp/x", "a scheme that is not http or https"},
      {"https://127.0.0.1", "https without TLS settings"}, {"http://:70000", "a bad port"},
      {"http://127.0.0.1:0", "a bad port"}, {"http://:2379", "no host"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    slice problem = SLICE_NONE;
    etcd_remote_options o = {.env = world_env(t.world), .timers = t.timers,
                             .servers = slice_cstr(rows[i][0])};
    assert_null(etcd_remote_create(&o, &problem));
    assert_true(slice_is(problem, rows[i][1]));
  }
}

/* Whatever a case left behind when it failed. */
static int mend(void **state) {
  (void)state;
  fiber_set_deadline(fiber_current(t.fibers), INT64_MAX);
  if (t.etcd) kill(t.etcd, SIGCONT);
  else etcd_start();
  return 0;
}

static void random_model(void **state) {
  (void)state;
  assert_int_equal(store_contract_random(make, 1, 600), 0);
}

static void all(void *ctx) {
  (void)ctx;
  t.failures = store_contract_run(make);
#define CASE(f) cmocka_unit_test_setup_teardown(f, NULL, mend)
  const struct CMUnitTest tests[] = {
      CASE(random_model),
      CASE(etcd_dies_and_returns),
      CASE(etcd_is_paused),
      CASE(etcd_dies_under_readers),
      CASE(two_mirrors),
      CASE(leases_end),
      CASE(bad_servers_are_refused),
  };
  t.failures += cmocka_run_group_tests_name("etcd", tests, NULL, NULL);
  world_stop(t.world);
}

static void tick(void *ctx) { (void)ctx; }

int main(void) {
  const char *binary = getenv("APISIM_ETCD");
  char command[256];
  snprintf(command, sizeof command, "command -v %s >/dev/null", binary ? binary : "etcd");
  if (system(command) != 0) {
    fputs("etcd_remote_test: skipped: no etcd (apt-get install etcd-server)\n", stderr);
    return 0;
  }
  bool shm = access("/dev/shm", W_OK) == 0; /* where fsync costs nothing */
  snprintf(t.directory, sizeof t.directory, "%s/apisim-etcd-XXXXXX", shm ? "/dev/shm" : "/tmp");
  if (!mkdtemp(t.directory)) return 1;
  t.port = free_port();
  t.peer_port = free_port();
  snprintf(t.servers, sizeof t.servers, "http://127.0.0.1:%d", t.port);
  etcd_start();
  t.world = world_create(&(world_options){.seed = 1});
  t.timers = world_timers(t.world);
  t.fibers = fiber_pool_create(STACK);
  world_attach(t.world, &(world_program){.tick = tick, .stop = tick});
  fiber_run(t.fibers, all, NULL);
  world_run(t.world);
  if (t.etcd) etcd_end(SIGKILL);
  world_destroy(t.world);
  if (!t.failures) fiber_pool_destroy(t.fibers);
  snprintf(command, sizeof command, "rm -rf %s", t.directory);
  return system(command) != 0 || t.failures;
}
