#include "diag/ollama/messages.h"

namespace vgpu::ollama {
namespace {

constexpr Message kMessages[] = {
    {Event::kServerConfig, Speaker::kOllama, "server config"},
    {Event::kListening, Speaker::kOllama, "Listening on "},
    {Event::kDiscoveryBegan, Speaker::kOllama, "discovering available GPUs"},   // B, C
    {Event::kDiscoveryBegan, Speaker::kOllama, "looking for compatible GPUs"},  // A
    {Event::kNone, Speaker::kOllama, "GPU bootstrap discovery took"},           // the sum of all
    {Event::kPass, Speaker::kOllama, "bootstrap discovery took"},               // B
    {Event::kPass, Speaker::kOllama, "llama-server device discovery took"},     // C
    {Event::kCount, Speaker::kOllama, "devices to filter out"},                 // B, C
    {Event::kCount, Speaker::kOllama,
     "filtering out unsupported or overlapping GPU library combinations"},  // v0.12.4 to .6
    {Event::kVerifying, Speaker::kOllama, "verifying if device is supported"},
    {Event::kVerifying, Speaker::kOllama, "verifying GPU is supported"},  // v0.12.6
    {Event::kFiltered, Speaker::kOllama, "filtering device which didn't fully initialize"},
    {Event::kFailure, Speaker::kOllama, "failure during GPU discovery"},               // B
    {Event::kFailure, Speaker::kOllama, "failure during llama-server GPU discovery"},  // C
    {Event::kFailure, Speaker::kOllama, "llama-server GPU discovery watchdog timed out"},
    {Event::kNoDevice, Speaker::kOllama, "no nvidia devices detected by library"},
    {Event::kNoDevice, Speaker::kOllama, "Unable to load cudart library"},
    {Event::kNoDevice, Speaker::kOllama, "error looking up nvidia GPU memory"},
    {Event::kNoDevice, Speaker::kOllama, "no compatible GPUs were discovered"},
    {Event::kCompute, Speaker::kOllama, "inference compute"},
    {Event::kVram, Speaker::kOllama, "vram-based default context"},
    {Event::kVram, Speaker::kOllama, "entering low vram mode"},
    {Event::kOverride, Speaker::kOllama, "user overrode visible devices"},
    {Event::kLoaderError, Speaker::kLoader, "cannot be preloaded"},
    {Event::kLoaderError, Speaker::kLoader, "symbol lookup error"},
    {Event::kLoaderError, Speaker::kLoader, "error while loading shared libraries"},
    {Event::kUnitExited, Speaker::kSystemd, "Main process exited, code="},
    {Event::kUnitRestart, Speaker::kSystemd, "Scheduled restart job, restart counter is at "},
    {Event::kUnitStarted, Speaker::kSystemd, "Started "},
    {Event::kUnitStopped, Speaker::kSystemd, "Stopped "},
};

}  // namespace

absl::Span<const Message> Messages() { return kMessages; }

}  // namespace vgpu::ollama
