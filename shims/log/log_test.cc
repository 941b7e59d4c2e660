#include "shims/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "shims/base/text.h"

namespace vgpu::log {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What a process with this environment writes to its standard error.
std::string Said(const char* level, const char* file, const std::function<void()>& what) {
  int channel[2];
  if (pipe(channel) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    dup2(channel[1], STDERR_FILENO);
    close(channel[0]);
    close(channel[1]);
    level == nullptr ? unsetenv("VGPU_LOG") : setenv("VGPU_LOG", level, 1);
    file == nullptr ? unsetenv("VGPU_LOG_FILE") : setenv("VGPU_LOG_FILE", file, 1);
    what();
    _exit(0);
  }
  close(channel[1]);
  std::string text;
  char buffer[4096];
  ssize_t size;
  while ((size = read(channel[0], buffer, sizeof buffer)) > 0) text.append(buffer, size);
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return text;
}

std::string Content(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// Reads a line by the grammar in log.h. Empty: it does not follow it.
Pairs Read(std::string_view line) {
  Pairs pairs;
  if (!line.ends_with('\n')) return {};
  line.remove_suffix(1);
  while (true) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return {};
    pairs.emplace_back(line.substr(0, equals), "");
    std::string& value = pairs.back().second;
    line.remove_prefix(equals + 1);
    if (line.starts_with('"')) {
      line.remove_prefix(1);
      while (!line.empty() && line[0] != '"') {
        const size_t length = PrintableLength(line);
        if (length == 0) return {};
        if (line[0] != '\\') {
          value += line.substr(0, length);
          line.remove_prefix(length);
        } else if (line.size() >= 4 && line[1] == 'x') {
          value += static_cast<char>(std::stoi(std::string(line.substr(2, 2)), nullptr, 16));
          line.remove_prefix(4);
        } else if (line.size() >= 2 && (line[1] == '"' || line[1] == '\\')) {
          value += line[1];
          line.remove_prefix(2);
        } else {
          return {};
        }
      }
      if (line.empty()) return {};
      line.remove_prefix(1);
    } else {
      while (!line.empty() && line[0] != ' ') {
        const size_t length = PrintableLength(line);
        if (length == 0 || line[0] == '"' || line[0] == '=' || line[0] == '\\') return {};
        value += line.substr(0, length);
        line.remove_prefix(length);
      }
      if (value.empty()) return {};
    }
    if (line.empty()) return pairs;
    if (!line.starts_with(' ')) return {};
    line.remove_prefix(1);
  }
}

void SayRefused() {
  Write(Level::kError, "libvgpu-cuda", "kernel launch refused",
        {{"func", "cuLaunchKernel"}, {"device", 0}, {"reason", "no compute backend"}});
}

TEST(LogTest, TheLineOfTheContract) {
  const std::string line = Said("error", nullptr, SayRefused);
  EXPECT_TRUE(line.starts_with(
      "level=error lib=libvgpu-cuda msg=\"kernel launch refused\" func=cuLaunchKernel device=0 "
      "reason=\"no compute backend\" pid="))
      << line;
  EXPECT_EQ(Read(line).size(), 7u) << line;
}

TEST(LogTest, NothingUnlessAsked) {
  for (const char* level : {static_cast<const char*>(nullptr), "", "off", "ERROR", "debug", "1"}) {
    EXPECT_EQ(Said(level, nullptr, SayRefused), "") << (level == nullptr ? "unset" : level);
  }
}

TEST(LogTest, ALevelBringsThoseBelowIt) {
  const auto say_all = [] {
    for (Level level : {Level::kError, Level::kInfo, Level::kTrace, Level::kOff}) {
      if (Enabled(level)) Write(Level::kError, "lib", "enabled");
      Write(level, "lib", "written");
    }
  };
  const auto lines = [&](const char* level) {
    const std::string said = Said(level, nullptr, say_all);
    return std::count(said.begin(), said.end(), '\n');
  };
  EXPECT_EQ(lines("error"), 2);
  EXPECT_EQ(lines("info"), 4);
  EXPECT_EQ(lines("trace"), 6);
}

TEST(LogTest, AFileIsAppendedToAndItsLinesHaveTheTime) {
  const std::string path = testing::TempDir() + "/vgpu.log";
  std::ofstream(path) << "before\n";
  EXPECT_EQ(Said("error", path.c_str(), [] { SayRefused(), SayRefused(); }), "");
  std::istringstream lines(Content(path));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "before");
  for (int i = 0; i < 2; ++i) {
    std::getline(lines, line);
    const Pairs pairs = Read(line + "\n");
    ASSERT_EQ(pairs.size(), 8u) << line;
    EXPECT_EQ(pairs[7].first, "time");
    // What date(1) makes of it is less than a minute ago.
    FILE* date = popen(("date -d " + pairs[7].second + " +%s").c_str(), "r");
    long then = 0;
    ASSERT_EQ(fscanf(date, "%ld", &then), 1);
    EXPECT_EQ(pclose(date), 0);
    EXPECT_LE(std::abs(time(nullptr) - then), 60) << pairs[7].second;
    EXPECT_EQ(pairs[7].second.size(), std::string("2026-02-24T10:12:00.123456Z").size());
  }
}

TEST(LogTest, AFileThatCannotBeOpenedIsNotTheEndOfAMessage) {
  for (const std::string& path : {testing::TempDir(), testing::TempDir() + "/missing/vgpu.log",
                                  std::string(5000, 'x'), std::string()}) {
    EXPECT_EQ(Read(Said("error", path.c_str(), SayRefused)).size(), 7u) << path;
  }
  // A FIFO that nobody reads must not hold the program.
  const std::string fifo = testing::TempDir() + "/log_fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(Read(Said("error", fifo.c_str(), SayRefused)).size(), 7u);
}

TEST(LogTest, WhateverIsSaidIsOneLineThatCanBeReadAgain) {
  std::mt19937 random(1);
  const auto text = [&](size_t most) {
    const char* const kParts[] = {
        "a",    "Z", "7", " ",        "\"",   "\\",           "=", "\n",      "\x1b[2J",
        "\x7f", "ä", "…", "\xc2\x9b", "\xff", "\xed\xa0\x80", "😀", "\xe2\x80"};
    std::string all;
    for (size_t parts = random() % most; parts > 0; --parts) {
      all += kParts[random() % std::size(kParts)];
    }
    if (random() % 8 == 0) all += std::string(1, '\0');
    return all;
  };
  for (int i = 0; i < 300; ++i) {
    const std::string library = text(4), message = text(20), value = text(i % 3 == 0 ? 600 : 30),
                      other = text(30);
    const int64_t number = static_cast<int64_t>(random()) - INT32_MAX;
    const std::string line = Said("trace", nullptr, [&] {
      Write(Level::kTrace, library, message, {{"value", value}, {"number", number}, {"x", other}});
    });
    SCOPED_TRACE(line);
    ASSERT_LE(line.size(), kMaxLine);
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    const Pairs pairs = Read(line);
    ASSERT_GE(pairs.size(), 5u);
    EXPECT_EQ(pairs[0].second, "trace");
    EXPECT_EQ(pairs[1].second, library);
    EXPECT_EQ(pairs[2].second, message);
    EXPECT_EQ(pairs.back().first, "pid");
    if (pairs[3].second.ends_with("…") && pairs[3].second != value) {
      const std::string kept = pairs[3].second.substr(0, pairs[3].second.size() - 3);
      EXPECT_TRUE(value.starts_with(kept));
      EXPECT_GT(line.size(), kMaxLine / 2) << "cut without need";
    } else {
      EXPECT_EQ(pairs[3].second, value);
      ASSERT_GE(pairs.size(), 6u);
      EXPECT_EQ(pairs[4].second, std::to_string(number));
    }
  }
}

TEST(LogTest, AValueThatDoesNotFitIsCut) {
  const std::string line = Said("error", nullptr, [] {
    Write(Level::kError, "lib", "too long", {{"path", std::string(5000, 'p')}, {"more", 1}});
  });
  EXPECT_LE(line.size(), kMaxLine);
  const Pairs pairs = Read(line);
  ASSERT_EQ(pairs.size(), 5u) << line;
  EXPECT_TRUE(pairs[3].second.ends_with("p…"));
  EXPECT_EQ(pairs[4].first, "pid");
}

TEST(LogTest, ErrnoIsKept) {
  EXPECT_NE(Said("error", "/missing/file",
                 [] {
                   errno = ERANGE;
                   SayRefused();
                   if (errno != ERANGE) _exit(1);
                 }),
            "");
}

TEST(LogTest, AReaderThatHasGoneEndsNothing) {
  Said("error", nullptr, [] {
    for (bool is_pipe : {true, false}) {
      int channel[2];
      if ((is_pipe ? pipe(channel) : socketpair(AF_UNIX, SOCK_STREAM, 0, channel)) != 0) _exit(1);
      dup2(channel[1], STDERR_FILENO);
      close(channel[0]);
      close(channel[1]);
      SayRefused();  // SIGPIPE would end the process here
      sigset_t pending, mask;
      sigpending(&pending);
      pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      if (sigismember(&pending, SIGPIPE) == 1 || sigismember(&mask, SIGPIPE) == 1) _exit(2);
    }
  });
}

TEST(LogTest, ASignalThatTheProgramWaitsForIsLeftPending) {
  Said("error", nullptr, [] {
    sigset_t pipe_signal, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
    raise(SIGPIPE);
    int channel[2];
    if (pipe(channel) != 0) _exit(1);
    dup2(channel[1], STDERR_FILENO);
    close(channel[0]);
    SayRefused();
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE) != 1) _exit(2);
  });
}

TEST(LogTest, StandardErrorMayBeClosed) {
  Said("error", nullptr, [] {
    close(STDERR_FILENO);
    SayRefused();
  });
}

TEST(LogTest, LinesOfThreadsAndProcessesDoNotMix) {
  const std::string path = testing::TempDir() + "/many.log";
  Said("info", path.c_str(), [] {
    const bool child = fork() == 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([i] {
        for (int n = 0; n < 100; ++n) {
          Write(Level::kInfo, "lib", "a message", {{"thread", i}, {"n", n}, {"pad", "x y z"}});
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (child) _exit(0);
    wait(nullptr);
  });
  std::istringstream lines(Content(path));
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) ASSERT_EQ(Read(line + "\n").size(), 8u) << line;
  EXPECT_EQ(count, 800);
}

TEST(LogTest, AForkBetweenThreadsWaitsForNobody) {
  Said("off", nullptr, [] {
    bool end = false;
    std::thread writer([&end] {
      while (!__atomic_load_n(&end, __ATOMIC_RELAXED)) SayRefused();
    });
    for (int i = 0; i < 50; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(20);
        SayRefused();
        _exit(0);
      }
      int status = 0;
      waitpid(child, &status, 0);
      if (!WIFEXITED(status)) _exit(1);
    }
    __atomic_store_n(&end, true, __ATOMIC_RELAXED);
    writer.join();
  });
}

TEST(LogTest, AProgramThatClosesEverythingKeepsItsLog) {
  const std::string path = testing::TempDir() + "/closing.log";
  Said("info", path.c_str(), [] {
    SayRefused();
    close_range(3, ~0u, 0);
    SayRefused();
    // No descriptor of ours stands where the program's own would.
    if (open("/dev/null", O_RDONLY) != 3) _exit(1);
  });
  std::istringstream lines(Content(path));
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) ++count;
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace vgpu::log
