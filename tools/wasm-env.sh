#!/bin/sh
# Prints the `export …` line after which `cargo build --target wasm32-unknown-unknown` works:
#
#     eval "$(tools/wasm-env.sh)"
#
# rustup's compiler is used when it has, or can fetch, the standard library for wasm32; then nothing is
# printed. Where it cannot, Debian's own compiler is unpacked into a cache folder (no root, nothing
# installed; native builds keep using rustup's compiler) and builds that library once.
#
# WASM_CACHE          the cache folder
# WASM_FORCE_DEBIAN   set: skip rustup, to try the second way
set -eu

target=wasm32-unknown-unknown
cache=${WASM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cipherformer/wasm-rustc}
debian_rustc=$cache/bin/rustc

say() { echo "wasm-env: $*" >&2; }

has_std() {
    for lib in "$("$1" --print target-libdir --target $target)"/libstd-*.rlib; do
        [ -e "$lib" ] && return 0
    done
    return 1
}

# The name of the package among the dependencies of $1 that matches the pattern $2: both carry a version.
dependency() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p" | head -n 1; }

unpack_debian_compiler() {
    command -v apt-get >/dev/null || { say "no standard library for $target: run 'rustup target add $target'"; exit 1; }
    rm -rf "$cache"
    mkdir -p "$cache/bin" "$cache/debs" "$cache/root"
    cd "$cache/debs"
    apt-get update -qq >&2 || say 'apt-get update failed (not root?): using the lists as they are'
    std=$(dependency libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
    llvm=$(dependency "$std" 'libllvm[0-9]*')
    say "unpacking Debian's rustc-web, libstd-rust-web-dev, rust-web-src, $std, $llvm"
    apt-get download -q rustc-web libstd-rust-web-dev rust-web-src "$std" "$llvm" >&2
    for package in *.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$cache/root" --anchored --no-wildcards-match-slash \
            --exclude='./usr/src/*/compiler' --exclude='./usr/src/*/src' --exclude='./usr/share'
    done
    cd "$cache"
    rm -rf debs
    libraries=$(echo "$cache"/root/usr/lib/*-linux-gnu)
    for program in rustc rustdoc; do
        cat > "bin/$program" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$cache/root/usr/bin/$program" "\$@"
END
        chmod +x "bin/$program"
    done
}

# An empty crate, built with -Z build-std, leaves the standard library's rlibs in its target folder.
build_std() {
    say "building the standard library for $target"
    seed=$cache/seed
    mkdir -p "$seed/src"
    : > "$seed/src/lib.rs"
    cat > "$seed/Cargo.toml" <<'END'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[profile.release]
panic = "abort"
[workspace]
END
    (cd "$seed" && env -u RUSTFLAGS RUSTC="$debian_rustc" RUSTC_BOOTSTRAP=1 cargo build --quiet --release \
        --target $target -Z build-std=std,panic_abort,proc_macro --target-dir "$seed/target") >&2
    libdir=$cache/root/usr/lib/rustlib/$target/lib
    mkdir -p "$libdir"
    rm -f "$seed/target/$target"/release/deps/libseed-*
    cp "$seed/target/$target"/release/deps/lib*.rlib "$seed/target/$target"/release/deps/lib*.rmeta "$libdir/"
    rm -rf "$seed"
}

if [ -z "${WASM_FORCE_DEBIAN:-}" ]; then
    has_std rustc && exit 0
    if command -v rustup >/dev/null; then
        say "rustup target add $target"
        timeout 120 rustup -q target add $target >&2 || say 'rustup cannot fetch it here'
        has_std rustc && exit 0
    fi
fi

if ! { [ -x "$debian_rustc" ] && has_std "$debian_rustc"; }; then
    unpack_debian_compiler
    build_std
fi
host=$(rustc -vV | sed -n 's/^host: //p')
linker=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
echo "export RUSTC='$debian_rustc' RUSTDOC='$cache/bin/rustdoc' CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER='$linker'"
