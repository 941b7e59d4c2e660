// As read.c, with what Rust's standard library has.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

fn attempt(name: &str, address: &str, value: io::Result<Vec<u8>>) {
    match value {
        Ok(bytes) => {
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("{name}.{address}\t{text}");
        }
        Err(error) => println!("{name}.{address}\t!{}", error.raw_os_error().unwrap_or(0)),
    }
}

fn lines(mut names: Vec<String>) -> Vec<u8> {
    names.sort();
    names.iter().map(|name| name.clone() + "\n").collect::<String>().into_bytes()
}

fn list(path: &str) -> io::Result<Vec<u8>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().into_string().unwrap());
    }
    Ok(lines(names))
}

fn walk(path: &Path, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        if entry.file_name() == "vendor" {
            names.push(entry.path().to_str().unwrap().to_string());
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), names);
        }
    }
}

fn text(path: io::Result<std::path::PathBuf>) -> io::Result<Vec<u8>> {
    Ok(path?.to_str().unwrap().as_bytes().to_vec())
}

fn seek(path: &str) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let mut bytes = vec![0; 4];
    file.seek(SeekFrom::Start(0x2c))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn pread(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    fs::File::open(path)?.read_exact_at(&mut bytes, 0x2c)?;
    Ok(bytes)
}

fn size(path: &str) -> io::Result<Vec<u8>> {
    Ok(fs::metadata(path)?.len().to_string().into_bytes())
}

fn within<T>(directory: &str, read: impl Fn() -> io::Result<T>) -> io::Result<T> {
    std::env::set_current_dir(directory)?;
    let value = read();
    std::env::set_current_dir("/")?;
    value
}

fn all(address: &str) {
    let bus = format!("/sys/bus/pci/devices/{address}");
    let vendor = format!("{bus}/vendor");
    let go = |name: &str, value| attempt(name, address, value);
    go("read", fs::read(&vendor));
    go("config", fs::read(format!("{bus}/config")));
    go("uevent", fs::read(format!("{bus}/uevent")));
    go("driver-alias", fs::read(format!("/sys/bus/pci/drivers/nvidia/{address}/vendor")));
    go("proc", fs::read("/proc/driver/nvidia/version"));
    go("dots", fs::read(format!("/sys/bus/pci/devices/../devices/{address}/vendor")));
    go("slashes", fs::read(format!("//sys//bus/pci///devices/{address}//vendor")));
    go("proc-self-root", fs::read(format!("/proc/self/root{vendor}")));
    go("not-of-the-device", fs::read(format!("{bus}/virtio0")));
    go("lseek", seek(&format!("{bus}/config")));
    go("pread", pread(&format!("{bus}/config")));
    go("readdir", list(&bus));
    go("readdir-all", list("/sys/bus/pci/devices"));
    go("readdir-drivers", list("/sys/bus/pci/drivers"));
    go("readdir-proc", list("/proc/driver"));
    let mut names = Vec::new();
    walk(Path::new("/sys/devices"), &mut names);
    go("nftw", Ok(lines(names)));
    go("readlink-bus", text(fs::read_link(&bus)));
    go("readlink-driver", text(fs::read_link(format!("{bus}/driver"))));
    go("realpath", text(fs::canonicalize(&vendor)));
    go("realpath-driver", text(fs::canonicalize(format!("{bus}/driver"))));
    go("size", size(&format!("{bus}/modalias")));
    go("chdir-above", within("/sys/bus", || fs::read(format!("pci/devices/{address}/vendor"))));
    go("chdir", within(&bus, || fs::read("vendor")));
    go("getcwd", within(&bus, || text(std::env::current_dir())));
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|word| word == "--child") {
        let status = Command::new(&arguments[0]).args(&arguments[2..]).env_clear().status();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
    }
    for address in &arguments[1..] {
        all(address);
    }
}
