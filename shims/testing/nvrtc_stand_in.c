// A libnvrtc.so that compiles nothing, for hashcat: it shows a GPU only where NVIDIA's runtime
// compiler is installed too, which has no part in what is tested.

enum { kCompilation = 6, kInternalError = 11 };  // nvrtcResult, nvrtc.h 12

int nvrtcVersion(int* major, int* minor) {
  *major = 12;
  *minor = 8;
  return 0;
}

const char* nvrtcGetErrorString(int result) {
  return result == 0 ? "no error" : "a stand-in that compiles nothing";
}

int nvrtcCompileProgram(void) { return kCompilation; }
int nvrtcAddNameExpression(void) { return kInternalError; }
int nvrtcCreateProgram(void) { return kInternalError; }
int nvrtcDestroyProgram(void) { return kInternalError; }
int nvrtcGetLoweredName(void) { return kInternalError; }
int nvrtcGetPTX(void) { return kInternalError; }
int nvrtcGetPTXSize(void) { return kInternalError; }
int nvrtcGetProgramLog(void) { return kInternalError; }
int nvrtcGetProgramLogSize(void) { return kInternalError; }
