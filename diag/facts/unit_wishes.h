// What a text that has no effect was meant to set, of what a GPU is found by.
//
//   for (const Wish& wish : WishesIn("[service]\nEnvironment=LD_PRELOAD=/x.so\n")) ...
//   // {"LD_PRELOAD", "/x.so", 2}
//
// Whatever is wrong with the text, the assignment stands in it somewhere: it is looked for
// as a word, without regard to sections, keys and quotes. Comments do not count. Pure.

#ifndef DIAG_FACTS_UNIT_WISHES_H_
#define DIAG_FACTS_UNIT_WISHES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::facts {

struct Wish {
  std::string name;   // a variable, or a setting: "BindReadOnlyPaths"
  std::string value;  // of a variable: without quotes
  int line = 0;
};

// A part of a unit that systemd does not read, and what it holds.
struct IneffectiveText {
  std::string path;
  int line = 0;       // 0: the whole file
  std::string why;    // "its name does not end in .conf", "Unknown key 'environment' …"
  std::string quote;  // the line; empty for a whole file
  std::vector<Wish> wishes;
  bool whole_file = false;  // the file is not read at all
  bool empty = false;       // it is read, and nothing in it is an assignment
};

std::vector<Wish> WishesIn(absl::string_view text);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_UNIT_WISHES_H_
