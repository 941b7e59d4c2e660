"""Calls every function of a binding of NVML that asks for something, and prints what it got.

    pynvml_queries.py DIRECTORY MODULE        pynvml, of nvidia-ml-py, or py3nvml.py3nvml

A line "query" and a JSON object each: {"function", "answer"} or {"function", "error",
"message"}, where "error" is the class of the exception; "nothing": true where there is no such
thing as it asks about on a device that is whole (a partition, a virtual function, a unit), and
it was asked about nothing.
"""

import ctypes
import importlib
import inspect
import json
import os
import re
import sys

sys.path.insert(0, sys.argv[1])
pynvml = importlib.import_module(sys.argv[2])

# Those that ask. The others change something, or release what is not there.
ASKS = re.compile(r"Get|Query|Is[A-Z]|OnSameBoard|ErrorString|Count|Wait")
CHANGES = re.compile(r"Set[A-Z](?!.*Wait)|Clear|Reset|Freeze|ReadWrite")

# What there is none of: the handle is null.
NOTHING = ("vgpuInstance", "vgpuTypeId", "gpuInstance", "computeInstance", "migDevice", "unit",
           "eventSet", "gpmSample", "setHandle", "vgpuMetadata", "metricsGet")
# What these call "device" is a partition, too.
OF_PARTITIONS = ("nvmlGpuInstance", "nvmlComputeInstance", "nvmlVgpu")

STRUCTURES = {
    "nvmlDeviceGetAdaptiveTgpModeInfo_v1": "c_nvmlAdaptiveTgpModeInfo_v1_t",
    "nvmlDeviceGetBankRemapperStatus_v1": "c_nvmlEccBankRemapperStatus_v1_t",
    "nvmlDeviceGetCapabilities": "c_nvmlDeviceCapabilities_v1_t",
    "nvmlDeviceGetClockOffsets": "c_nvmlClockOffset_t",
    "nvmlDeviceGetGpuFabricInfo": "c_nvmlGpuFabricInfo_t",
    "nvmlDeviceGetGpuFabricInfoV": "c_nvmlGpuFabricInfo_v2_t",
    "nvmlDeviceGetGpuFabricInfo_v4": "c_nvmlGpuFabricInfo_v4_t",
    "nvmlDeviceGetMemoryLimits_v1": "c_nvmlGetMemoryLimits_v1_t",
    "nvmlDeviceGetNvLinkInfo": "c_nvmlNvLinkInfo_v1_t",
    "nvmlDeviceGetNvLinkTelemetrySamples_v1": "c_nvmlNvlinkTelemetrySamples_v1_t",
    "nvmlDeviceGetNvlinkBwMode": "c_nvmlNvlinkGetBwMode_v1_t",
    "nvmlDeviceGetNvlinkSupportedBwModes": "c_nvmlNvlinkSupportedBwModes_v1_t",
    "nvmlDeviceGetPciInfoExt": "nvmlPciInfoExt_v1_t",
    "nvmlDeviceGetPlatformInfo": "c_nvmlPlatformInfo_v2_t",
    "nvmlDeviceGetPowerMizerMode_v1": "c_nvmlDevicePowerMizerModes_v1_t",
    "nvmlDeviceGetRemappedRows_v2": "c_nvmlRemappedRowsInfo_v2_t",
    "nvmlDeviceGetSramEccErrorStatus": "c_nvmlEccSramErrorStatus_v1_t",
    "nvmlDeviceGetSramUniqueUncorrectedEccErrorCounts":
        "c_nvmlEccSramUniqueUncorrectedErrorCounts_v1_t",
    "nvmlDeviceGetVgpuSchedulerLog_v2": "c_nvmlVgpuSchedulerLogInfo_v2_t",
    "nvmlDeviceGetVgpuSchedulerState_v2": "c_nvmlVgpuSchedulerStateInfo_v2_t",
    "nvmlDevicePerfMetricsGetSamples_v1": "c_nvmlPerfMetricsSamples_v1_t",
    "nvmlDeviceReadPRMCounters_v1": "c_nvmlPRMCounterList_v1_t",
    "nvmlDeviceWorkloadPowerProfileGetCurrentProfiles":
        "c_nvmlWorkloadPowerProfileCurrentProfiles_v1_t",
    "nvmlDeviceWorkloadPowerProfileGetProfilesInfo":
        "c_nvmlWorkloadPowerProfileProfilesInfo_v1_t",
    "nvmlSystemGetCPER_v1": "c_nvmlGetCPER_v1_t",
    "nvmlSystemGetConfComputeSettings": "c_nvmlSystemConfComputeSettings_v1_t",
}


def of_nothing(function):
    return (function.__name__.startswith(OF_PARTITIONS) or
            any(name in NOTHING for name in inspect.signature(function).parameters))


def arguments(function, device, second):
    """Valid arguments for a function, by the names of its parameters; None where there is no
    such thing."""
    values = {
        "handle": device, "device": device, "handle1": device, "handle2": second,
        "device1": device, "device2": second, "index": 0, "sensor": 0, "type": 0, "id": 0,
        "threshold": 0, "fan": 0, "link": 0, "counter": 0, "capability": 0, "level": 0,
        "result": 0, "errorType": 0, "counterType": 0, "locationType": 0, "apiType": 0,
        "infoRomObject": 0, "memoryClockMHz": 2619, "cpuNumber": 0, "cpuSetSize": 16,
        "nodeSetSize": 16, "scope": 0, "timeStamp": 0, "sampling_type": 0, "perfPolicyType": 0,
        "sourceFilter": 0, "p2pIndex": 0, "encoderQueryType": 0, "profileId": 0, "profile": 0,
        "engProfile": 0, "gpuInstanceId": 0, "computeInstanceId": 0, "sensorindex": 0,
        "clockType": 0, "pstate": 0, "pid": os.getpid(), "mode": 0, "timeoutms": 1,
        "uuid": pynvml.nvmlDeviceGetUUID(device),
        "pciBusId": pynvml.nvmlDeviceGetPciInfo(device).busId,
        "pciInfo": pynvml.nvmlDeviceGetPciInfo(device),
        "fieldIds": [1, 186],  # NVML_FI_DEV_ECC_CURRENT, NVML_FI_DEV_POWER_INSTANT
        "serial": "0", "nvmlErrorCode": 1, "c_nonce": bytes(32),
        "version": getattr(pynvml, "nvmlProcessDetailList_v1", None),
    }
    if pynvml.__name__ == "py3nvml.py3nvml":  # of the time of Python 2: these are bytes
        values.update(uuid=values["uuid"].encode(), serial=b"0")
    if function.__name__ == "nvmlDeviceGetHandleByUUIDV":
        values["type"] = pynvml.NVML_UUID_TYPE_ASCII
    given = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in NOTHING or name == "device" and function.__name__.startswith(OF_PARTITIONS):
            given.append(None)
        elif parameter.default is not inspect.Parameter.empty:
            break
        elif name in values:
            given.append(values[name])
        elif function.__name__ in STRUCTURES:
            given.append(structure(function, name))
        else:
            # Where to write what there is none of.
            given.append(None)
    return given


def structure(function, name):
    """The structure that the caller brings, as the function wants it: pynvml makes a pointer of
    some itself. Its version is its size and its number (nvml.h, NVML_STRUCT_VERSION)."""
    # That of a list is told how long it is.
    of_list = STRUCTURES[function.__name__] == "c_nvmlPRMCounterList_v1_t"
    made = getattr(pynvml, STRUCTURES[function.__name__])(*(1,) * of_list)
    number = re.search(r"_v(\d+)_t$", STRUCTURES[function.__name__])
    if hasattr(made, "version"):
        made.version = ctypes.sizeof(made) | (int(number.group(1)) if number else 1) << 24
    return made if f"byref({name})" in inspect.getsource(function) else ctypes.byref(made)


def printable(answer):
    if isinstance(answer, bytes):
        return answer.decode("utf-8", "replace")
    if isinstance(answer, (int, float, str, bool)) or answer is None:
        return answer
    if isinstance(answer, (list, tuple)):
        return [printable(item) for item in answer]
    if isinstance(answer, ctypes.Structure):
        return {name: printable(getattr(answer, name)) for name, *_ in answer._fields_}
    if hasattr(answer, "__dict__"):
        return {name: printable(of) for name, of in vars(answer).items()}
    return type(answer).__name__


def main():
    pynvml.nvmlInit()
    device, second = (pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(2))
    for name, function in sorted(vars(pynvml).items()):
        if (not name.startswith("nvml") or not inspect.isfunction(function) or
                not ASKS.search(name) or CHANGES.search(name)):
            continue
        said = {"function": name, "nothing": of_nothing(function)}
        try:
            said["answer"] = printable(function(*arguments(function, device, second)))
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, it is told
            said["error"] = type(error).__name__
            said["message"] = str(error)
        # Before the next call, which might end this program. (py3nvml prints lines of its own.)
        print("query", json.dumps(said, default=repr), flush=True)
    pynvml.nvmlShutdown()


main()
