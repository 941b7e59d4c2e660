#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/vgpu_probe/steps.h"

namespace vgpu::probe_program {
namespace {

constexpr char kPreloadFile[] = "/etc/ld.so.preload";

// One entry, and whether an object is the file that it names.
struct Wanted {
  const char* entry;
  const char* base;  // its last component
  bool by_file;      // it names a file that is there
  dev_t device;
  ino_t inode;
  bool found;
};

int Look(dl_phdr_info* object, size_t, void* data) {
  Wanted& wanted = *static_cast<Wanted*>(data);
  const char* name = object->dlpi_name;
  if (name == nullptr || *name == '\0') return 0;
  struct stat st;
  if (wanted.by_file) {
    wanted.found = stat(name, &st) == 0 && st.st_dev == wanted.device && st.st_ino == wanted.inode;
  } else {
    // One that is searched for, or has a token ($LIB): by its name.
    const char* slash = strrchr(name, '/');
    wanted.found = strcmp(slash == nullptr ? name : slash + 1, wanted.base) == 0;
  }
  return wanted.found ? 1 : 0;
}

void Entry(const char* entry, const char* from, Answer& answer) {
  const char* slash = strrchr(entry, '/');
  Wanted wanted = {entry, slash == nullptr ? entry : slash + 1, false, 0, 0, false};
  struct stat st;
  if (slash != nullptr && strchr(entry, '$') == nullptr) {
    if (stat(entry, &st) == 0) {
      wanted.by_file = true;
      wanted.device = st.st_dev;
      wanted.inode = st.st_ino;
    }
  }
  const bool gone = slash != nullptr && strchr(entry, '$') == nullptr && !wanted.by_file;
  if (!gone) dl_iterate_phdr(Look, &wanted);
  answer.BeginObject();
  answer.Text("entry", entry);
  answer.Text("from", from);
  answer.Flag("loaded", wanted.found);
  answer.EndObject();
  if (!wanted.found) {
    answer.Fail("", "%s of %s is %s", entry, from, gone ? "not there" : "there and is not loaded");
  }
}

// Calls Entry for the words of `text`, which is changed.
void Entries(char* text, const char* separators, const char* from, Answer& answer) {
  char* rest = nullptr;
  for (char* word = strtok_r(text, separators, &rest); word != nullptr;
       word = strtok_r(nullptr, separators, &rest)) {
    Entry(word, from, answer);
  }
}

}  // namespace

void LoaderStep(Words, Answer& answer) { answer.Flag("secure", getauxval(AT_SECURE) != 0); }

void PreloadStep(Words, Answer& answer) {
  answer.BeginList("preload");
  static char list[32 << 10];
  if (const char* value = getenv("LD_PRELOAD"); value != nullptr) {
    if (strlen(value) >= sizeof(list)) {
      answer.Fail("getenv", "LD_PRELOAD is longer than %zu bytes", sizeof(list));
    } else {
      strcpy(list, value);
      Entries(list, ": ", "LD_PRELOAD", answer);
    }
  }
  Call("open /etc/ld.so.preload");
  const int fd = open(kPreloadFile, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    size_t size = 0;
    while (size + 1 < sizeof(list)) {
      const ssize_t n = read(fd, list + size, sizeof(list) - 1 - size);
      if (n <= 0) break;
      size += static_cast<size_t>(n);
    }
    close(fd);
    if (size + 1 == sizeof(list)) {
      answer.Fail("read", "%s is longer than %zu bytes", kPreloadFile, sizeof(list) - 1);
      size = 0;
    }
    list[size] = '\0';
    // As the loader does: a comment goes to the end of its line (glibc 2.36, elf/rtld.c).
    for (char* hash = strchr(list, '#'); hash != nullptr; hash = strchr(hash, '#')) {
      while (*hash != '\0' && *hash != '\n') *hash++ = ' ';
    }
    Entries(list, ": \t\n", kPreloadFile, answer);
  } else if (errno != ENOENT) {
    answer.Fail("open", "%s: %s", kPreloadFile, strerror(errno));
  }
  answer.EndList();
}

}  // namespace vgpu::probe_program
