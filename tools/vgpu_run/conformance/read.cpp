// As read.c: with streams and std::filesystem. (Not .cc: a client that is compiled by its test.)

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace fs = std::filesystem;

static std::string address;

static void Say(const std::string& name, const std::string& bytes) {
  printf("%s.%s\t", name.c_str(), address.c_str());
  for (unsigned char byte : bytes) printf("%02x", byte);
  printf("\n");
}

// What it throws is an answer too.
static void Try(const std::string& name, const std::function<std::string()>& read) {
  try {
    Say(name, read());
  } catch (const std::system_error& error) {
    printf("%s.%s\t!%d\n", name.c_str(), address.c_str(), error.code().value());
  }
}

static std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::system_error(errno, std::generic_category());
  return {std::istreambuf_iterator<char>(file), {}};
}

static std::string Lines(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

static std::string List(const fs::path& path) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    names.push_back(entry.path().filename());
  }
  return Lines(names);
}

static void All() {
  fs::path bus = "/sys/bus/pci/devices/" + address;
  Try("read", [&] { return Read(bus / "vendor"); });
  Try("config", [&] { return Read(bus / "config"); });
  Try("uevent", [&] { return Read(bus / "uevent"); });
  Try("driver-alias",
      [] { return Read("/sys/bus/pci/drivers/nvidia/" + address + "/vendor"); });
  Try("proc", [] { return Read("/proc/driver/nvidia/version"); });
  Try("dots", [&] { return Read("/sys/bus/pci/devices/../devices/" + address + "/vendor"); });
  Try("slashes", [&] { return Read("//sys//bus/pci///devices/" + address + "//vendor"); });
  Try("proc-self-root", [&] { return Read("/proc/self/root" + bus.string() + "/vendor"); });
  Try("canonical", [&] { return Read(fs::canonical(bus) / "vendor"); });
  Try("not-of-the-device", [&] { return Read(bus / "virtio0"); });
  Try("getline", [&] {
    std::ifstream file(bus / "vendor");
    if (!file) throw std::system_error(errno, std::generic_category());
    std::string line;
    std::getline(file, line);
    return line + "\n";
  });
  Try("lseek", [&] {
    std::ifstream file(bus / "config", std::ios::binary);
    if (!file) throw std::system_error(errno, std::generic_category());
    std::string bytes(4, '\0');
    file.seekg(0x2c);
    file.read(bytes.data(), 4);
    return bytes;
  });
  Try("readdir", [&] { return List(bus); });
  Try("readdir-all", [] { return List("/sys/bus/pci/devices"); });
  Try("readdir-drivers", [] { return List("/sys/bus/pci/drivers"); });
  Try("readdir-proc", [] { return List("/proc/driver"); });
  Try("nftw", [] {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator("/sys/devices")) {
      if (entry.path().filename() == "vendor") names.push_back(entry.path());
    }
    return Lines(names);
  });
  Try("readlink-bus", [&] { return fs::read_symlink(bus).string(); });
  Try("readlink-driver", [&] { return fs::read_symlink(bus / "driver").string(); });
  Try("realpath", [&] { return fs::canonical(bus / "vendor").string(); });
  Try("realpath-driver", [&] { return fs::canonical(bus / "driver").string(); });
  Try("size", [&] { return std::to_string(fs::file_size(bus / "modalias")); });
  Try("chdir-above", [&] {
    fs::current_path("/sys/bus");
    return Read("pci/devices/" + address + "/vendor");
  });
  Try("chdir", [&] {
    fs::current_path(bus);
    return Read("vendor");
  });
  Try("getcwd", [&] {
    fs::current_path(bus);
    return fs::current_path().string();
  });
  fs::current_path("/");
}

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--child") {
    argv[1] = argv[0];
    char* empty[] = {nullptr};
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, argv[0], nullptr, nullptr, argv + 1, empty) != 0) return 1;
    waitpid(child, &status, 0);
    return status;
  }
  for (int i = 1; i < argc; ++i) {
    address = argv[i];
    All();
  }
}
