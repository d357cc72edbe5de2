//! What the films show: one filter graph each, ending in `[v]`. Pure text.
//!
//! Every graph is made to be cheap. What moves softly is computed by `geq` on a tiny canvas at a low rate and scaled
//! up; what is sharp is computed once, looped, and overlaid or scrolled. Ten bits on the tiny canvas keep the dark
//! gradients free of bands when they are scaled up. `if` in an expression computes only the branch it takes.

pub mod night_lights;
pub mod small_hours;

/// Size in pixels and frame rate of a layer.
#[derive(Clone, Copy)]
pub(super) struct Canvas {
    width: u32,
    height: u32,
    rate: &'static str,
}

pub(super) const fn canvas(width: u32, height: u32, rate: &'static str) -> Canvas {
    Canvas { width, height, rate }
}

/// A number between 0 and 1 that looks like chance and is the same in every frame.
pub(super) fn hash(a: &str, b: &str) -> String {
    format!("mod(abs(sin(({a})*12.9898+({b})*78.233)*43758.5453),1)")
}

/// One picture, computed once and shown for ever.
pub(super) fn once(name: &str, on: Canvas, format: &str, planes: &str, to: &str) -> String {
    let Canvas { width, height, rate } = on;
    format!(
        "color=black:s={width}x{height}:r={rate},trim=end_frame=1,format={format},geq={planes},format={to},\
         loop=-1:1:0,setpts=N/({rate}*TB)[{name}]"
    )
}

/// A layer with transparency; colours and alpha are 0 to 255.
pub(super) fn layer(name: &str, on: Canvas, rgb: [&str; 3], alpha: &str) -> String {
    let planes = format!("r='{}':g='{}':b='{}':a='{alpha}'", rgb[0], rgb[1], rgb[2]);
    once(name, on, "gbrap", &planes, "yuva420p")
}

/// A picture without transparency; colours are 0 to 1.
pub(super) fn opaque(name: &str, on: Canvas, rgb: [&str; 3], to: &str) -> String {
    let planes = format!("r='1023*({})':g='1023*({})':b='1023*({})'", rgb[0], rgb[1], rgb[2]);
    once(name, on, "gbrp10", &planes, to)
}

/// A soft field, computed `rate` times a second and blended to `smooth` frames a second; values are 0 to 1023.
pub(super) fn field(name: &str, on: Canvas, value: &str, smooth: &str) -> String {
    let Canvas { width, height, rate } = on;
    format!(
        "color=black:s={width}x{height}:r={rate},format=gray10,geq=lum='{value}',\
         framerate={smooth},format=gbrp10[{name}]"
    )
}

/// Light falling through `mask` in the colours of `tint` on top of `ground`.
pub(super) fn lit(mask: &str, tint: &str, ground: &str) -> String {
    format!("[{mask}][{tint}]blend=all_mode=multiply[{mask}{tint}];[{ground}][{mask}{tint}]blend=all_mode=screen")
}

/// Stars on a grid of `cell` pixels, one in each cell whose chance is above `rarity`; 0 to 1.
pub(super) fn stars(cell: u32, rarity: f64) -> String {
    let (i, j) = (format!("floor(X/{cell})"), format!("floor(Y/{cell})"));
    let (half, wide) = (f64::from(cell) / 2.0, f64::from(cell) * 0.6);
    format!(
        "if(gt({},{rarity}),(0.35+0.65*{})*clip(1.4-hypot(mod(X,{cell})-{half}+{wide}*({}-0.5),mod(Y,{cell})-{half})\
         /(0.5+1.2*{}),0,1),0)",
        hash(&i, &j),
        hash(&format!("{i}+1"), &format!("{j}+5")),
        hash(&j, &format!("{i}+3")),
        hash(&format!("{i}+7"), &j),
    )
}
