"""The C++ rules under the name by which Bazel 4.2 loads them: its native ones.

Debian's bazel-rules-cc is too new for Debian's Bazel (it loads a symbol,
use_cpp_toolchain, that 4.2.3 does not have).
"""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
