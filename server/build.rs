//! Pages, words and assets are compiled in; a new or changed file there must compile this crate again.

fn main() {
    println!("cargo::rerun-if-changed=../templates");
    println!("cargo::rerun-if-changed=askama.toml");
}
