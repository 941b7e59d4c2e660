// What a step of a repair does, as a value.
//
// The command of a step is for people. `vgpu-doctor fix --apply` does not run it through a
// shell: it carries out the step's action. So no text of the host is ever read by a shell,
// the files that a repair touches are known before it begins, and each action can be taken
// back by what made it. Command and action are made at one place (steps.h), from the same
// values.

#ifndef DIAG_RULES_ACTION_H_
#define DIAG_RULES_ACTION_H_

#include <string>
#include <variant>
#include <vector>

namespace vgpu::rules {

// A person must do it: install what is not there, choose, edit what has no one right form.
struct ByHand {};

// Changes nothing: it shows something, keeps a copy (which --apply does by itself), or is
// another way of doing what the steps behind it do.
struct NoChange {};

// Writes a file anew, with the directories that it needs.
struct WriteFile {
  std::string path = {};
  std::string content = {};
};

// Takes entries out of a list of the loader's, /etc/ld.so.preload, and leaves the rest.
struct RemoveEntries {
  std::string path = {};
  std::vector<std::string> entries = {};
};

// Gives a variable another value, on the line of an EnvironmentFile= that assigns it.
struct AssignVariable {
  std::string path = {};
  int line = 0;  // 1-based
  std::string name = {};
  std::string value = {};
};

// Renames a file to a name that is free, with the directories that it needs.
struct MoveFile {
  std::string from = {};
  std::string to = {};
};

// Makes `path` a symbolic link to `target`. What stands there is kept beside it.
struct MakeLink {
  std::string path = {};
  std::string target = {};
};

// Sets and clears permission bits.
struct ChangeMode {
  std::string path = {};
  unsigned set = 0;
  unsigned clear = 0;
};

// Takes a program's file capabilities away.
struct RemoveCapabilities {
  std::string path = {};
};

// systemctl daemon-reload
struct Reload {};

// systemctl restart UNIT, or start where nothing runs that a restart would interrupt.
struct Restart {
  std::string unit = {};
  bool only_start = false;
};

// Another request to the service manager, and the one that takes it back.
struct Manage {
  std::vector<std::string> arguments = {};  // of systemctl
  std::vector<std::string> undo = {};
};

using Action = std::variant<ByHand, NoChange, WriteFile, RemoveEntries, AssignVariable, MoveFile,
                            MakeLink, ChangeMode, RemoveCapabilities, Reload, Restart, Manage>;

}  // namespace vgpu::rules

#endif  // DIAG_RULES_ACTION_H_
