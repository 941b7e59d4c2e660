// How a person runs by hand what discovery does in a child that lives under a second.

#ifndef DIAG_RULES_BY_HAND_H_
#define DIAG_RULES_BY_HAND_H_

#include <string>

#include "diag/facts/facts.h"

namespace vgpu::rules {

// What of the child was not seen, and why not.
inline constexpr char kDiscoveryChild[] = "environment and libraries of the discovery child";
inline constexpr char kDiscoveryChildIsGone[] =
    "discovery loads libggml-cuda.so in a child that lives under a second and is gone; the "
    "server's own maps never show it, so its absence there says nothing";

// A command, for eras B and C.
std::string DiscoveryByHand(const facts::Facts& facts);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_BY_HAND_H_
