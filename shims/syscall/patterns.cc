// Every manner in which a C program reaches a file by its path, each with a line of what came of
// it:
//
//   patterns read ROOT FUNCTION    reads the PCI function's files below ROOT ("" is the machine)
//   patterns write FUNCTION        tries to change them, and says with which error that ends
//   patterns walk PATH FLAGS       the names that nftw visits
//   patterns threads PATH COUNT    so many threads that open and read it, five times each
//
// What stands before the device's own directory in a path is printed as it is: the test takes the
// tree's directory off.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

// Declared by no header: what fortified programs, and those of old, are linked with.
extern "C" {
int __open_2(const char*, int);
int __open64_2(const char*, int);
int __openat_2(int, const char*, int);
int __openat64_2(int, const char*, int);
FILE* _IO_fopen(const char*, const char*);
char* __realpath_chk(const char*, char*, size_t);
char* __getcwd_chk(char*, size_t, size_t);
ssize_t __readlink_chk(const char*, char*, size_t, size_t);
ssize_t __readlinkat_chk(int, const char*, char*, size_t, size_t);
}

static char function[1000], file[1100], driver[1100];

static void Say(const char* name, const char* text) { printf("%s: %s\n", name, text); }
static void SayNumber(const char* name, long long number) {
  if (number < 0) {
    printf("%s: %lld %s\n", name, number, strerror(errno));
  } else {
    printf("%s: %lld\n", name, number);
  }
}

// What a descriptor gives, to its end, in small pieces; and that it stays at its end.
static void SayContent(const char* name, int fd) {
  if (fd < 0) {
    SayNumber(name, fd);
    return;
  }
  printf("%s:", name);
  char piece[3];
  ssize_t size;
  while ((size = read(fd, piece, sizeof piece)) > 0) {
    for (ssize_t i = 0; i < size; ++i) printf(" %02x", (unsigned char)piece[i]);
  }
  printf(" end %zd %zd at %lld\n", size, read(fd, piece, sizeof piece),
         (long long)lseek(fd, 0, SEEK_CUR));
  close(fd);
}

static void SayStream(const char* name, FILE* stream) {
  if (stream == NULL) {
    Say(name, strerror(errno));
    return;
  }
  char line[256];
  printf("%s:", name);
  while (fgets(line, sizeof line, stream) != NULL) printf(" %s", line);
  printf("eof %d\n", feof(stream) != 0);
  fclose(stream);
}

static void SayStatus(const char* name, int result, const struct stat* status) {
  if (result != 0) {
    SayNumber(name, result);
    return;
  }
  printf("%s: mode %o size %lld inode %llu\n", name, status->st_mode, (long long)status->st_size,
         (unsigned long long)status->st_ino);
}

static int Compare(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static void SayDirectory(const char* name, DIR* directory) {
  char* names[1000];
  size_t count = 0;
  if (directory == NULL) {
    Say(name, strerror(errno));
    return;
  }
  for (struct dirent* entry; count < 1000 && (entry = readdir(directory)) != NULL;) {
    if (asprintf(&names[count++], "%s/%d", entry->d_name, entry->d_type) < 0) abort();
  }
  closedir(directory);
  qsort(names, count, sizeof names[0], Compare);
  printf("%s:", name);
  for (size_t i = 0; i < count; ++i) printf(" %s", names[i]);
  printf("\n");
}

static void SayEntries(const char* name, int count, struct dirent** list) {
  printf("%s: %d", name, count);
  for (int i = 0; i < count; ++i) printf(" %s", list[i]->d_name);
  printf("\n");
}

static int Visit(const char* path, const struct stat* status, int kind, struct FTW* place) {
  (void)status;
  (void)place;
  printf("%d %s\n", kind, path);
  return 0;
}
static int VisitSimply(const char* path, const struct stat* status, int kind) {
  (void)status;
  printf("%d %s\n", kind, path);
  return 0;
}

static int ReadAll(const char* root, const char* path) {
  char text[PATH_MAX], buffer[PATH_MAX];
  snprintf(function, sizeof function, "%s%s", root, path);
  snprintf(file, sizeof file, "%s/vendor", function);
  snprintf(driver, sizeof driver, "%s/driver", function);
  const int directory = open(function, O_RDONLY | O_DIRECTORY);

  SayContent("open", open(file, O_RDONLY));
  SayContent("open64", open64(file, O_RDONLY));
  SayContent("openat", openat(AT_FDCWD, file, O_RDONLY));
  SayContent("openat, absolute, with a descriptor", openat(-1, file, O_RDONLY));
  SayContent("openat64, relative", openat64(directory, "vendor", O_RDONLY));
  SayContent("openat, dots", openat(directory, "power/..//./vendor", O_RDONLY));
  SayContent("openat, through a link", openat(directory, "driver/uevent", O_RDONLY));
  SayContent("__open_2", __open_2(file, O_RDONLY));
  SayContent("__open64_2", __open64_2(file, O_RDONLY));
  SayContent("__openat_2", __openat_2(directory, "vendor", O_RDONLY));
  SayContent("__openat64_2", __openat64_2(AT_FDCWD, file, O_RDONLY));
  SayContent("open, nofollow", open(file, O_RDONLY | O_NOFOLLOW));
  SayContent("open a link, nofollow", open(driver, O_RDONLY | O_NOFOLLOW));
  snprintf(text, sizeof text, "%s/", file);
  SayContent("open, slash", open(text, O_RDONLY));
  snprintf(text, sizeof text, "%s/none", function);
  SayContent("open none", open(text, O_RDONLY));
  SayContent("open as directory", open(file, O_RDONLY | O_DIRECTORY));
  const int by_path = open(file, O_PATH);
  snprintf(text, sizeof text, "/proc/self/fd/%d", by_path);
  SayContent("open by /proc/self/fd", open(text, O_RDONLY));
  snprintf(text, sizeof text, "/proc/self/fd/%d/vendor", directory);
  SayContent("open below /proc/self/fd", open(text, O_RDONLY));

  SayStream("fopen", fopen(file, "r"));
  SayStream("fopen64", fopen64(file, "re"));
  SayStream("_IO_fopen", _IO_fopen(file, "r"));
  FILE* stream = fopen("/dev/null", "r");
  SayStream("freopen", freopen(file, "r", stream));
  stream = fopen("/dev/null", "r");
  SayStream("freopen64", freopen64(file, "r", stream));
  unsigned vendor = 0;
  stream = fopen(file, "r");
  if (stream != NULL) {
    SayNumber("fscanf", fscanf(stream, "%x", &vendor) == 1 ? (long long)vendor : -1);
    fclose(stream);
  }

  const int fd = open(file, O_RDONLY);
  memset(buffer, 0, sizeof buffer);
  SayNumber("pread", pread(fd, buffer, 3, 2));
  Say("pread's", buffer);
  SayNumber("pread behind the end", pread(fd, buffer, 3, 4096));
  char first[2] = "", second[16] = "";
  struct iovec parts[] = {{first, 1}, {second, 15}};
  SayNumber("readv", readv(fd, parts, 2));
  Say("readv's", second);
  SayNumber("lseek", lseek(fd, 0, SEEK_END));
  const int copy = dup(fd);
  SayNumber("dup's place", lseek(copy, 0, SEEK_CUR));
  SayNumber("lseek back", lseek(copy, 0, SEEK_SET));
  void* mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  Say("mmap", mapped == MAP_FAILED ? strerror(errno) : static_cast<const char*>(mapped));
  int ends[2];
  if (pipe(ends) != 0) return 1;
  off_t from = 0;
  SayNumber("sendfile", sendfile(ends[1], fd, &from, 4096));
  close(ends[1]);
  close(copy);
  close(fd);

  struct stat status;
  struct statx extended;
  SayStatus("stat", stat(file, &status), &status);
  SayStatus("stat directory", stat(function, &status), &status);
  SayStatus("stat link", stat(driver, &status), &status);
  SayStatus("lstat link", lstat(driver, &status), &status);
  SayStatus("fstatat", fstatat(directory, "vendor", &status, 0), &status);
  SayStatus("fstatat link", fstatat(directory, "driver", &status, AT_SYMLINK_NOFOLLOW), &status);
  SayStatus("fstatat empty", fstatat(directory, "", &status, AT_EMPTY_PATH), &status);
  SayNumber("statx", statx(AT_FDCWD, file, 0, STATX_ALL, &extended));
  SayNumber("statx's inode", (long long)extended.stx_ino);
  SayNumber("stat none", stat("/sys/bus/pci/devices/none:", &status));
  struct statfs system;
  struct statvfs vsystem;
  SayNumber("statfs", statfs(file, &system) == 0 ? (long long)system.f_type : -1);
  SayNumber("statvfs", statvfs(file, &vsystem) == 0 ? (long long)vsystem.f_namemax : -1);
  SayNumber("pathconf", pathconf(file, _PC_NAME_MAX));
  SayNumber("access", access(file, R_OK));
  SayNumber("faccessat", faccessat(directory, "vendor", R_OK, 0));
  SayNumber("euidaccess", euidaccess(file, R_OK));
  SayNumber("eaccess none", eaccess("/sys/bus/pci/devices/none:", R_OK));
  SayNumber("getxattr", getxattr(file, "user.none", buffer, sizeof buffer));
  SayNumber("lgetxattr", lgetxattr(file, "user.none", buffer, sizeof buffer));
  const int watches = inotify_init();
  SayNumber("inotify", inotify_add_watch(watches, file, IN_OPEN));
  close(open(file, O_RDONLY));
  SayNumber("inotify's event", read(watches, buffer, sizeof buffer) > 0);

  memset(buffer, 0, sizeof buffer);
  SayNumber("readlink", readlink(driver, buffer, sizeof buffer));
  Say("readlink's", buffer);
  SayNumber("readlink, cut", readlink(driver, buffer, 5));
  SayNumber("readlink of a file", readlink(file, buffer, sizeof buffer));
  SayNumber("__readlink_chk", __readlink_chk(driver, buffer, 100, sizeof buffer));
  SayNumber("readlinkat", readlinkat(directory, "driver", buffer, sizeof buffer));
  SayNumber("__readlinkat_chk", __readlinkat_chk(directory, "driver", buffer, 9, sizeof buffer));
  snprintf(text, sizeof text, "/proc/self/fd/%d", directory);
  memset(buffer, 0, sizeof buffer);
  SayNumber("readlink of a descriptor", readlink(text, buffer, sizeof buffer) > 0);
  Say("readlink of a descriptor's", buffer);

  char* name = realpath(driver, NULL);
  Say("realpath", name == NULL ? strerror(errno) : name);
  free(name);
  name = canonicalize_file_name(file);
  Say("canonicalize_file_name", name == NULL ? strerror(errno) : name);
  free(name);
  Say("realpath into a buffer", realpath(file, buffer) == NULL ? strerror(errno) : buffer);
  name = __realpath_chk(file, buffer, sizeof buffer);
  Say("__realpath_chk", name == NULL ? strerror(errno) : name);
  snprintf(text, sizeof text, "%s/none", function);
  name = realpath(text, NULL);
  Say("realpath of none", name == NULL ? strerror(errno) : name);

  SayDirectory("opendir", opendir(function));
  SayDirectory("fdopendir", fdopendir(open(function, O_RDONLY)));
  struct dirent** list = NULL;
  int entries = scandir(function, &list, NULL, alphasort);
  SayEntries("scandir", entries, list);
  entries = scandirat(directory, "power", &list, NULL, alphasort);
  SayEntries("scandirat", entries, list);
  glob_t found;
  snprintf(text, sizeof text, "%s/*vendor", function);
  SayNumber("glob", glob(text, 0, NULL, &found));
  for (size_t i = 0; i < found.gl_pathc; ++i) Say("glob's", found.gl_pathv[i]);
  globfree(&found);
  glob64_t found64;
  SayNumber("glob64", glob64(text, GLOB_NOSORT, NULL, &found64));
  SayNumber("glob64's", (long long)found64.gl_pathc);
  // Links are not followed: they lead out of the tree, and there the machine's own files are.
  for (int flags = FTW_PHYS; flags < 16; flags += 2) {
    printf("nftw %d:\n", flags);
    SayNumber("nftw", nftw(function, Visit, 20, flags));
  }
  snprintf(text, sizeof text, "%s/power", function);
  SayNumber("ftw", ftw(text, VisitSimply, 20));

  SayNumber("chdir", chdir(function));
  Say("getcwd", getcwd(buffer, sizeof buffer));
  Say("__getcwd_chk", __getcwd_chk(buffer, 300, sizeof buffer));
  name = getcwd(NULL, 0);
  Say("getcwd, allocated", name);
  char exact[PATH_MAX];
  Say("getcwd, exactly", getcwd(exact, strlen(path) + strlen(root) + 1) ? exact : strerror(errno));
  Say("getcwd, too small", getcwd(exact, 4) ? exact : strerror(errno));
  name = get_current_dir_name();
  Say("get_current_dir_name", name);
  SayContent("relative", open("vendor", O_RDONLY));
  SayContent("relative, dot", open("./vendor", O_RDONLY));
  SayContent("relative, link", open("driver/uevent", O_RDONLY));
  SayContent("relative, up", open("power/../vendor", O_RDONLY));
  SayContent("/proc/self/cwd", open("/proc/self/cwd/vendor", O_RDONLY));
  SayNumber("fchdir", fchdir(directory));
  SayContent("relative after fchdir", open("vendor", O_RDONLY));
  SayStream("relative fopen", fopen("vendor", "r"));
  return 0;
}

// Each with errno, which is 0 where nothing went wrong.
#define SAY_ERROR(call)                                      \
  do {                                                       \
    errno = 0;                                               \
    long long result = (long long)(intptr_t)(call);          \
    printf("%s: %lld %s\n", #call, result, strerror(errno)); \
  } while (0)

static int WriteAll(const char* path) {
  snprintf(function, sizeof function, "%s", path);
  snprintf(file, sizeof file, "%s/vendor", function);
  snprintf(driver, sizeof driver, "%s/new", function);
  const int directory = open(function, O_RDONLY | O_DIRECTORY);
  const struct timeval times[2] = {};
  const struct timespec precise[2] = {};
  SAY_ERROR(open(file, O_WRONLY));
  SAY_ERROR(open(file, O_RDWR));
  SAY_ERROR(open(file, O_RDONLY | O_TRUNC));
  SAY_ERROR(open(driver, O_WRONLY | O_CREAT, 0600));
  SAY_ERROR(open64(driver, O_RDONLY | O_CREAT, 0600));
  SAY_ERROR(open(function, O_WRONLY | O_TMPFILE, 0600));
  SAY_ERROR(openat(directory, "vendor", O_WRONLY));
  SAY_ERROR(openat(directory, "new", O_WRONLY | O_CREAT, 0600));
  SAY_ERROR(__open_2(file, O_WRONLY));
  SAY_ERROR(creat(file, 0600));
  SAY_ERROR(creat64(driver, 0600));
  SAY_ERROR(fopen(file, "w"));
  SAY_ERROR(fopen(file, "r+"));
  SAY_ERROR(fopen64(driver, "a"));
  SAY_ERROR(freopen(file, "w", fopen("/dev/null", "r")));
  SAY_ERROR(truncate(file, 0));
  SAY_ERROR(truncate64(file, 0));
  SAY_ERROR(access(file, W_OK));
  SAY_ERROR(faccessat(directory, "vendor", W_OK, 0));
  SAY_ERROR(euidaccess(file, W_OK));
  SAY_ERROR(chmod(file, 0777));
  SAY_ERROR(fchmodat(directory, "vendor", 0777, 0));
  SAY_ERROR(chown(file, 1, 1));
  SAY_ERROR(lchown(file, 1, 1));
  SAY_ERROR(fchownat(directory, "vendor", 1, 1, 0));
  SAY_ERROR(utime(file, NULL));
  SAY_ERROR(utimes(file, times));
  SAY_ERROR(lutimes(file, times));
  SAY_ERROR(futimesat(directory, "vendor", times));
  SAY_ERROR(utimensat(directory, "vendor", precise, 0));
  SAY_ERROR(setxattr(file, "user.x", "y", 1, 0));
  SAY_ERROR(lsetxattr(file, "user.x", "y", 1, 0));
  SAY_ERROR(removexattr(file, "user.x"));
  SAY_ERROR(lremovexattr(file, "user.x"));
  SAY_ERROR(unlink(file));
  SAY_ERROR(unlinkat(directory, "vendor", 0));
  SAY_ERROR(remove(file));
  SAY_ERROR(rmdir(function));
  SAY_ERROR(rename(file, "/tmp/none/new"));
  SAY_ERROR(rename("/etc/passwd", file));
  SAY_ERROR(renameat(directory, "vendor", directory, "new"));
  SAY_ERROR(renameat2(directory, "vendor", directory, "new", 0));
  SAY_ERROR(link(file, "/tmp/none/new"));
  SAY_ERROR(link("/etc/passwd", driver));
  SAY_ERROR(linkat(directory, "vendor", AT_FDCWD, "/tmp/none/new", 0));
  SAY_ERROR(symlink("x", driver));
  SAY_ERROR(symlinkat("x", directory, "new"));
  SAY_ERROR(mkdir(driver, 0777));
  SAY_ERROR(mkdirat(directory, "new", 0777));
  SAY_ERROR(mkfifo(driver, 0666));
  SAY_ERROR(mkfifoat(directory, "new", 0666));
  SAY_ERROR(mknod(driver, 0666, 0));
  SAY_ERROR(mknodat(directory, "new", 0666, 0));
  SAY_ERROR(mkdir(function, 0777));
  SAY_ERROR(symlink("x", file));
  SAY_ERROR(link("/etc/passwd", file));
  return 0;
}

static const char* thread_path;
static int wrong;

static void* Open(void*) {
  char text[64];
  for (int i = 0; i < 5; ++i) {
    const int fd = open(thread_path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (size != 7 || (memcmp(text, "0x10de\n", 7) != 0)) {
      __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    }
    if (fd >= 0) close(fd);
    usleep(300000);
  }
  return NULL;
}

static int OpenInThreads(const char* path, int count) {
  thread_path = path;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);
  auto* threads = static_cast<pthread_t*>(calloc((size_t)count, sizeof(pthread_t)));
  int started = 0;
  while (started < count && pthread_create(&threads[started], &small, Open, NULL) == 0) ++started;
  for (int i = 0; i < started; ++i) pthread_join(threads[i], NULL);
  free(threads);
  printf("%d threads, %d wrong\n", started, wrong);
  return 0;
}

int main(int count, char** words) {
  if (count == 4 && strcmp(words[1], "read") == 0) return ReadAll(words[2], words[3]);
  if (count == 3 && strcmp(words[1], "write") == 0) return WriteAll(words[2]);
  if (count == 4 && strcmp(words[1], "walk") == 0) {
    return nftw(words[2], Visit, 20, atoi(words[3])) == 0 ? 0 : 1;
  }
  if (count == 4 && strcmp(words[1], "threads") == 0) {
    return OpenInThreads(words[2], atoi(words[3]));
  }
  return 64;
}
