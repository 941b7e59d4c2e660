#!/usr/bin/python3 -B
"""ffmpeg, of Debian: frames that went to the device and came back are the same frames.

ffmpeg goes on and ends well when a copy fails, with wrong pixels: hashes decide."""


import shims_testing as testing

FRAMES = 8
# One plane and several, of 8 and 16 bits, a size that no alignment fits, and a large one.
FORMATS = ("nv12", "yuv420p", "yuv444p", "p010le", "bgr0", "yuva420p")
PICTURES = [(pixels, "642x362") for pixels in FORMATS] + [("nv12", "1920x1080")]


class Ffmpeg(testing.TestCase):
    def hashes(self, size, *filters, options=(), config=None):
        """The hash of every frame, and the log."""
        outcome = testing.run(
            ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "verbose", *options, "-f", "lavfi",
             "-i", f"testsrc2=size={size}:rate=25", "-frames:v", str(FRAMES),
             "-vf", ",".join(filters), "-f", "framemd5", "-"], config=config)
        self.assertEqual(outcome.status, 0, outcome.err[-2000:])
        found = [line for line in outcome.out.splitlines() if not line.startswith("#")]
        self.assertEqual(len(found), FRAMES, outcome.err[-2000:])
        return found, outcome.err

    def test_frames_come_back_as_they_went(self):
        testing.needs_program("ffmpeg")
        config = testing.devices()
        for pixels, size in PICTURES:
            with self.subTest(pixels, size=size):
                expected, _ = self.hashes(size, f"format={pixels}")
                for upload in ("hwupload", "hwupload_cuda"):
                    options = ["-init_hw_device", "cuda=gpu:0", "-filter_hw_device", "gpu"]
                    came, log = self.hashes(
                        size, f"format={pixels}", upload, "hwdownload", f"format={pixels}",
                        options=options, config=config)
                    self.assertEqual(came, expected, upload)
                    self.assertNotIn("failed", log)

    def test_no_kernel_runs(self):
        # scale_cuda computes on the device. It must fail, and not give frames that are wrong.
        testing.needs_program("ffmpeg")
        outcome = testing.run(
            ["ffmpeg", "-hide_banner", "-nostdin", "-init_hw_device", "cuda=gpu:0",
             "-filter_hw_device", "gpu", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25",
             "-frames:v", "1", "-vf",
             "format=nv12,hwupload,scale_cuda=32:32,hwdownload,format=nv12", "-f", "framemd5", "-"],
            config=testing.devices())
        self.assertNotEqual(outcome.status, 0)
        frames = [line for line in outcome.out.splitlines() if not line.startswith("#")]
        self.assertEqual(frames, [])


if __name__ == "__main__":
    testing.run_cases()
