// HTTP on the loopback, as much as a server of Ollama and its child say to each other.

#ifndef TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_LOOPBACK_H_
#define TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_LOOPBACK_H_

#include <functional>
#include <string>

namespace vgpu::stand_in {

// A listening socket; -1 where the port is taken. 0 is any port.
int Listen(int port);
int PortOf(int listening);

// Answers for ever: `answer` takes a path and returns a body, "" for 404.
[[noreturn]] void Serve(int listening,
                        const std::function<std::string(const std::string&)>& answer);

// The body of GET http://127.0.0.1:PORT/PATH; "" where nobody answers in two seconds.
std::string Get(int port, const std::string& path);

}  // namespace vgpu::stand_in

#endif  // TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_LOOPBACK_H_
