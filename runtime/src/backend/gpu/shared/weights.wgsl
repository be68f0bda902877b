// Weights number `s`, bound at $AT$s, and how they are decoded.
#if TEXELS$s
@group(0) @binding($AT$s) var weights_$s: texture_2d<u32>;
#include shared/texels.wgsl
#else
@group(0) @binding($AT$s) var<storage, read> weights_$s: array<u32>;
#end
#if LEVELS$s
#include shared/levels.wgsl
#end
#include shared/format/$FORMAT$s.wgsl
