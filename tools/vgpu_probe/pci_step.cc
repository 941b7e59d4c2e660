// Files of sysfs, read in every manner in which programs read them. Where a library redirects
// paths, each manner is another function of it.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tools/vgpu_probe/steps.h"

namespace vgpu::probe_program {
namespace {

// Puts what the file holds into `text`. False: errno says why not.
using Way = bool (*)(const char* path, char* text, size_t size);

bool ByDescriptor(const char* path, char* text, size_t size,
                  ssize_t (*take)(int fd, char* text, size_t size)) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = take(fd, text, size - 1);
  const int error = errno;
  close(fd);
  errno = error;
  if (n < 0) return false;
  text[n] = '\0';
  return true;
}

bool Read(const char* path, char* text, size_t size) {
  return ByDescriptor(path, text, size,
                      [](int fd, char* to, size_t room) { return read(fd, to, room); });
}

bool Pread(const char* path, char* text, size_t size) {
  return ByDescriptor(path, text, size,
                      [](int fd, char* to, size_t room) { return pread(fd, to, room, 0); });
}

bool Readv(const char* path, char* text, size_t size) {
  return ByDescriptor(path, text, size, [](int fd, char* to, size_t room) {
    iovec parts[2] = {{to, 1}, {to + 1, room - 1}};
    return readv(fd, parts, 2);
  });
}

bool Syscall(const char* path, char* text, size_t size) {
  const long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  const long n = syscall(SYS_read, fd, text, size - 1);
  const int error = errno;
  syscall(SYS_close, fd);
  errno = error;
  if (n < 0) return false;
  text[n] = '\0';
  return true;
}

bool Fread(const char* path, char* text, size_t size) {
  FILE* file = fopen(path, "re");
  if (file == nullptr) return false;
  const size_t n = fread(text, 1, size - 1, file);
  const bool good = ferror(file) == 0;
  text[n] = '\0';
  fclose(file);
  return good;
}

bool Fgets(const char* path, char* text, size_t size) {
  FILE* file = fopen(path, "re");
  if (file == nullptr) return false;
  text[0] = '\0';
  const bool good = fgets(text, static_cast<int>(size), file) != nullptr || ferror(file) == 0;
  fclose(file);
  return good;
}

struct NamedWay {
  const char* name;
  Way read;
};
constexpr NamedWay kWays[] = {{"read", Read},   {"pread", Pread}, {"readv", Readv},
                              {"fread", Fread}, {"fgets", Fgets}, {"syscall", Syscall}};

struct File {
  const char* name;
  const char* key;
};
constexpr File kFiles[] = {{"vendor", "vendor"}, {"device", "device"}, {"class", "class"}};

}  // namespace

void PciStep(Words words, Answer& answer) {
  const NamedWay* way = nullptr;
  for (const NamedWay& known : kWays) {
    if (words[0] != nullptr && strcmp(words[0], known.name) == 0) way = &known;
  }
  if (way == nullptr) {
    answer.Fail("", "no manner of reading is named");
    return;
  }
  answer.BeginList("devices");
  for (Words address = words + 1; *address != nullptr; ++address) {
    bool begun = false;
    for (const File& file : kFiles) {
      char path[256], text[256] = "";
      snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.64s/%s", *address, file.name);
      Call(path);
      if (!way->read(path, text, sizeof(text))) {
        // No function there: an answer, and no failure.
        if (errno == ENOENT && !begun) break;
        answer.Fail(way->name, "%s: %s", path, strerror(errno));
        break;
      }
      if (!begun) {
        answer.BeginObject();
        answer.Text("pci_address", *address);
        begun = true;
      }
      text[strcspn(text, "\n")] = '\0';
      answer.Text(file.key, text);
    }
    if (begun) answer.EndObject();
  }
  answer.EndList();
}

}  // namespace vgpu::probe_program
