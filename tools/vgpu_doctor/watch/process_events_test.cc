#include "tools/vgpu_doctor/watch/process_events.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

// The kernel tells of processes by the numbers of the first PID namespace (connector/cn_proc.c),
// whose inode is PROC_PID_INIT_INO (linux/proc_ns.h).
bool InTheFirstPidNamespace() {
  struct stat file;
  return stat("/proc/self/ns/pid", &file) == 0 && file.st_ino == 0xEFFFFFFC;
}

TEST(ProcessEvents, TellOfAChildFromItsForkToItsEnd) {
  if (!InTheFirstPidNamespace()) GTEST_SKIP() << "not in the first PID namespace";
  auto events = ProcessEvents::Open();
  if (!events.ok()) GTEST_SKIP() << events.status().message();
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
    _exit(127);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  std::string story;
  bool lost = false;
  for (int i = 0; i < 100 && story.find("exit") == std::string::npos; ++i) {
    for (const ProcessEvent& event : (*events)->Take(lost)) {
      if (event.pid != child) continue;
      if (event.kind == ProcessEvent::Kind::kFork && event.parent == getpid()) story += "fork ";
      if (event.kind == ProcessEvent::Kind::kExec) story += "exec ";
      if (event.kind == ProcessEvent::Kind::kExit && event.status == 3 << 8) story += "exit ";
    }
    usleep(10000);
  }
  EXPECT_EQ(story, "fork exec exit ");
}

}  // namespace
}  // namespace vgpu::doctor
