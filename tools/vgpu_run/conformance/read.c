// Reads files of a PCI function in every manner that C has, and prints what it got:
//
//   NAME.ADDRESS<TAB>hexadecimal bytes, or !errno
//
// With --child it first starts itself again with an empty environment, and prints nothing itself.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <fts.h>
#endif

static const char* address;

static void Say(const char* name, const void* bytes, size_t size) {
  printf("%s.%s\t", name, address);
  for (size_t i = 0; i < size; ++i) printf("%02x", ((const unsigned char*)bytes)[i]);
  printf("\n");
}

static void SayText(const char* name, const char* text) { Say(name, text, strlen(text)); }

static void Fail(const char* name) { printf("%s.%s\t!%d\n", name, address, errno); }

// One buffer after the other, so that several can be used in a call.
static char* Path(const char* format, ...) {
  static char buffers[4][PATH_MAX];
  static int next;
  char* buffer = buffers[next++ % 4];
  va_list list;
  va_start(list, format);
  vsnprintf(buffer, PATH_MAX, format, list);
  va_end(list);
  return buffer;
}

// The function as the bus names it, and a file of it.
static char* Bus(const char* file) {
  return Path("/sys/bus/pci/devices/%s%s%s", address, *file ? "/" : "", file);
}

static char content[65536];

static void SayDescriptor(const char* name, int file) {
  if (file < 0) {
    Fail(name);
    return;
  }
  ssize_t size = read(file, content, sizeof content);
  if (size < 0) {
    Fail(name);
  } else {
    Say(name, content, size);
  }
  close(file);
}

static void SayFile(const char* name, const char* path) { SayDescriptor(name, open(path, O_RDONLY)); }

static int Directory(const char* path) { return open(path, O_RDONLY | O_DIRECTORY); }

static void Names(void) {
  SayFile("read", Bus("vendor"));
  SayFile("config", Bus("config"));
  SayFile("uevent", Bus("uevent"));
  SayFile("driver-alias", Path("/sys/bus/pci/drivers/nvidia/%s/vendor", address));
  SayFile("proc", "/proc/driver/nvidia/version");
  SayFile("proc-gpu", Path("/proc/driver/nvidia/gpus/%s/information", address));
  SayFile("dots", Path("/sys/bus/pci/devices/../devices/%s/vendor", address));
  SayFile("dots-through-link", Path("/sys/bus/pci/devices/%s/../%s/vendor", address, address));
  SayFile("slashes", Path("//sys//bus/pci///devices/%s//vendor", address));
  SayFile("dot", Path("/sys/./bus/pci/devices/%s/./vendor", address));
  SayFile("proc-self-root", Path("/proc/self/root/sys/bus/pci/devices/%s/vendor", address));
  SayFile("not-of-the-device", Bus("virtio0"));

  char* real = realpath(Bus(""), NULL);
  if (real == NULL) {
    Fail("canonical");
  } else {
    SayFile("canonical", Path("%s/vendor", real));
    free(real);
  }

  char link[] = "/tmp/conformance.XXXXXX";
  if (mkdtemp(link) == NULL) {
    Fail("own-link");
  } else {
    char* path = Path("%s/link", link);
    if (symlink(Bus(""), path) != 0) {
      Fail("own-link");
    } else {
      SayFile("own-link", Path("%s/vendor", path));
    }
    unlink(path);
    rmdir(link);
  }
}

static void Relative(void) {
  int directory = Directory(Bus(""));
  SayDescriptor("dirfd", openat(directory, "vendor", O_RDONLY));
  SayDescriptor("dirfd-up", openat(directory, Path("../%s/vendor", address), O_RDONLY));
  SayFile("proc-self-fd", Path("/proc/self/fd/%d/vendor", directory));
  if (directory >= 0) close(directory);
  directory = Directory("/sys/bus/pci");
  SayDescriptor("dirfd-above", openat(directory, Path("devices/%s/vendor", address), O_RDONLY));
  if (directory >= 0) close(directory);

  if (chdir("/sys/bus") == 0) {
    SayFile("chdir-above", Path("pci/devices/%s/vendor", address));
    SayFile("chdir-up", Path("../bus/pci/devices/%s/vendor", address));
  }
  SayFile("proc-self-cwd", Path("/proc/self/cwd/pci/devices/%s/vendor", address));
  char name[PATH_MAX];
  if (chdir(Bus("")) == 0) {
    SayFile("chdir", "vendor");
    if (getcwd(name, sizeof name) != NULL) {
      SayText("getcwd", name);
    } else {
      Fail("getcwd");
    }
  } else {
    Fail("chdir");
    Fail("getcwd");
  }
  directory = Directory(Bus(""));
  if (directory >= 0 && fchdir(directory) == 0) {
    SayFile("fchdir", "vendor");
  } else {
    Fail("fchdir");
  }
  if (directory >= 0) close(directory);
  if (chdir("/") != 0) Fail("chdir-root");
}

static void Reads(void) {
  int file = open(Bus("config"), O_RDONLY);
  int second = dup(file);
  char head[8] = "", tail[8] = "";
  ssize_t size = read(second, content, 64);
  if (size < 0) Fail("dup");
  else Say("dup", content, size);
  if (second >= 0) close(second);
  size = pread(file, content, 4, 0x2c);
  if (size < 0) Fail("pread");
  else Say("pread", content, size);
  struct iovec parts[] = {{head, 2}, {tail, 2}};
  size = preadv(file, parts, 2, 0);
  if (size < 0) Fail("preadv");
  else Say("preadv", (char[]){head[0], head[1], tail[0], tail[1]}, 4);
  lseek(file, 0, SEEK_SET);
  memset(head, 0, sizeof head), memset(tail, 0, sizeof tail);
  size = readv(file, parts, 2);
  if (size < 0) Fail("readv");
  else Say("readv", (char[]){head[0], head[1], tail[0], tail[1]}, 4);
  if (lseek(file, 0x2c, SEEK_SET) != 0x2c || read(file, content, 4) != 4) Fail("lseek");
  else Say("lseek", content, 4);
  if (file >= 0) close(file);

  // sysfs's files have no pages to map or to send: the host's answer is an error there.
  file = open(Bus("vendor"), O_RDONLY);
  void* page = file < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
  if (page == MAP_FAILED) {
    Fail("mmap");
  } else {
    SayText("mmap", page);
    munmap(page, 4096);
  }
  int pipes[2];
  off_t offset = 0;
  if (pipe(pipes) == 0) {
    size = sendfile(pipes[1], file, &offset, 100);
    if (size < 0) Fail("sendfile");
    else if (read(pipes[0], content, sizeof content) == size) Say("sendfile", content, size);
    close(pipes[0]), close(pipes[1]);
  }
  if (file >= 0) close(file);

  FILE* stream = fopen(Bus("vendor"), "r");
  unsigned vendor = 0;
  if (stream == NULL || fscanf(stream, "%x", &vendor) != 1) Fail("fscanf");
  else SayText("fscanf", Path("%x", vendor));
  if (stream != NULL) {
    rewind(stream);
    if (fgets(content, sizeof content, stream) != NULL) SayText("fgets", content);
    else Fail("fgets");
    rewind(stream);
    char* line = NULL;
    size_t room = 0;
    if (getline(&line, &room, stream) > 0) SayText("getline", line);
    else Fail("getline");
    free(line);
    stream = freopen(Bus("device"), "r", stream);
  } else {
    Fail("fgets"), Fail("getline");
    stream = fopen("/dev/null", "r");
    if (stream != NULL) stream = freopen(Bus("device"), "r", stream);
  }
  if (stream != NULL && fgets(content, sizeof content, stream) != NULL) SayText("freopen", content);
  else Fail("freopen");
  if (stream != NULL) fclose(stream);

  SayDescriptor("raw-openat", syscall(SYS_openat, AT_FDCWD, Bus("vendor"), O_RDONLY));
  struct {
    unsigned long long flags, mode, resolve;
  } how = {O_RDONLY, 0, 0};
  SayDescriptor("raw-openat2",
                syscall(437 /* SYS_openat2 */, AT_FDCWD, Bus("vendor"), &how, sizeof how));
  file = open(Bus("vendor"), O_WRONLY);
  if (file >= 0) close(file);
  SayText("write", file >= 0 ? "opened" : errno == ENOENT ? "none" : "refused");
}

static int Compare(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static char* names[4096];
static size_t count;

static void Add(const char* name) {
  if (count < sizeof names / sizeof *names) names[count++] = strdup(name);
}

static void SayNames(const char* name) {
  qsort(names, count, sizeof *names, Compare);
  printf("%s.%s\t", name, address);
  for (size_t i = 0; i < count; ++i) {
    for (char* letter = names[i]; *letter; ++letter) printf("%02x", (unsigned char)*letter);
    printf("0a");
    free(names[i]);
  }
  printf("\n");
  count = 0;
}

static void List(const char* name, DIR* stream) {
  if (stream == NULL) {
    Fail(name);
    return;
  }
  for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
    if (entry->d_name[0] != '.') Add(entry->d_name);
  }
  closedir(stream);
  SayNames(name);
}

static int Visit(const char* path, const struct stat* status, int type, struct FTW* where) {
  (void)status, (void)type, (void)where;
  const char* last = strrchr(path, '/');
  if (last != NULL && strcmp(last, "/vendor") == 0) Add(path);
  return 0;
}

static void Lists(void) {
  List("readdir", opendir(Bus("")));
  List("readdir-all", opendir("/sys/bus/pci/devices"));
  List("readdir-drivers", opendir("/sys/bus/pci/drivers"));
  List("readdir-driver", opendir("/sys/bus/pci/drivers/nvidia"));
  List("readdir-proc", opendir("/proc/driver"));
  int directory = Directory(Bus("power"));
  List("fdopendir", directory < 0 ? NULL : fdopendir(directory));

  struct dirent** entries;
  int found = scandir("/sys/bus/pci/devices", &entries, NULL, alphasort);
  if (found < 0) {
    Fail("scandir");
  } else {
    for (int i = 0; i < found; ++i) {
      if (entries[i]->d_name[0] != '.') Add(entries[i]->d_name);
      free(entries[i]);
    }
    free(entries);
    SayNames("scandir");
  }
  glob_t globbed;
  if (glob("/sys/bus/pci/devices/*/vendor", 0, NULL, &globbed) == 0) {
    for (size_t i = 0; i < globbed.gl_pathc; ++i) Add(globbed.gl_pathv[i]);
    globfree(&globbed);
    SayNames("glob");
  } else {
    Fail("glob");
  }
  if (nftw("/sys/devices", Visit, 20, FTW_PHYS) == 0) SayNames("nftw");
  else Fail("nftw");
#ifdef __GLIBC__
  char* roots[] = {"/sys/devices", NULL};
  FTS* tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
  for (FTSENT* entry; tree != NULL && (entry = fts_read(tree)) != NULL;) {
    if (strcmp(entry->fts_name, "vendor") == 0) Add(entry->fts_path);
  }
  if (tree != NULL) fts_close(tree);
  SayNames("fts");
#endif
}

static void SayStatus(const char* name, int result, const struct stat* status) {
  if (result != 0) Fail(name);
  else SayText(name, Path("%o %d", status->st_mode, S_ISREG(status->st_mode) ? (int)status->st_size : 0));
}

static void Attributes(void) {
  char target[PATH_MAX];
  ssize_t size = readlink(Bus(""), target, sizeof target);
  if (size < 0) Fail("readlink-bus");
  else Say("readlink-bus", target, size);
  size = readlink(Bus("driver"), target, sizeof target);
  if (size < 0) Fail("readlink-driver");
  else Say("readlink-driver", target, size);
  int directory = Directory(Bus(""));
  size = readlinkat(directory, "subsystem", target, sizeof target);
  if (size < 0) Fail("readlinkat");
  else Say("readlinkat", target, size);

  if (realpath(Bus("vendor"), target) != NULL) SayText("realpath", target);
  else Fail("realpath");
  if (realpath(Bus("driver"), target) != NULL) SayText("realpath-driver", target);
  else Fail("realpath-driver");

  struct stat status;
  SayStatus("stat", stat(Bus("modalias"), &status), &status);
  SayStatus("stat-directory", stat(Bus(""), &status), &status);
  SayStatus("lstat", lstat(Bus("driver"), &status), &status);
  SayStatus("fstatat", fstatat(directory, "modalias", &status, 0), &status);
#ifdef __GLIBC__
  struct statx wide;
  if (statx(AT_FDCWD, Bus("modalias"), 0, STATX_BASIC_STATS, &wide) != 0) Fail("statx");
  else SayText("statx", Path("%o %d", wide.stx_mode, (int)wide.stx_size));
#endif
  SayText("access", Path("%d %d %d", access(Bus("vendor"), R_OK), access(Bus("driver"), F_OK),
                         access(Bus("virtio0"), F_OK)));
  SayText("faccessat", Path("%d", faccessat(directory, "vendor", R_OK, 0)));
  if (directory >= 0) close(directory);
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 20);
  if (argc > 1 && strcmp(argv[1], "--child") == 0) {
    char* program = argv[0];
    argv[1] = program;
    char* empty[] = {NULL};
    execve(program, argv + 1, empty);
    perror(program);
    return 1;
  }
  for (int i = 1; i < argc; ++i) {
    address = argv[i];
    Names();
    Relative();
    Reads();
    Lists();
    Attributes();
  }
  return 0;
}
