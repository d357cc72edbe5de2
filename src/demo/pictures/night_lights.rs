//! The films of `night-lights`: what shines.

use super::{canvas, field, hash, layer, lit, once, opaque, stars};

/// Two curtains of northern light above a ridge.
pub(in crate::demo) fn aurora() -> Vec<String> {
    let small = canvas(128, 72, "25");
    let light = "st(1,0);\
        st(0,0.62+0.09*sin(X/W*4.2+T*0.23)+0.045*sin(X/W*9.1-T*0.31)-Y/H);\
        st(1,ld(1)+1.15*if(gt(ld(0),0),exp(-ld(0)*5.2)*min(1,ld(0)*30),0)\
        *(0.62+0.38*sin(X/W*47+3*sin(X/W*6+T*0.31)+T*0.9))*(0.7+0.3*sin(X/W*2.3-T*0.23+5.6)));\
        st(0,0.48+0.11*sin(X/W*3.1-T*0.17)+0.04*sin(X/W*11-T*0.27)-Y/H);\
        st(1,ld(1)+0.8*if(gt(ld(0),0),exp(-ld(0)*6)*min(1,ld(0)*30),0)\
        *(0.62+0.38*sin(X/W*71+3*sin(X/W*6+T*0.31)-T*0.7))*(0.7+0.3*sin(X/W*2.3-T*0.23+4.3)));\
        1023*min(1,ld(1))";
    let ridge = "clip(Y-H*(0.86+0.05*sin(X/W*5.1+1)+0.025*sin(X/W*13+2)+0.008*sin(X/W*41))\
        +6*abs(sin(X*0.19))*abs(sin(X*0.07)),0,1)";
    // No ridge is higher than this, and no star lower.
    let low = "gt(Y,H*0.76)";
    let [r, g, b] = [(4, 215), (8, 225), (14, 255)].map(|(hill, star)| format!("if({low},{hill},{star})"));
    let alpha = format!("255*if({low},{ridge},{})", stars(23, 0.84));
    vec![
        field("l", canvas(128, 72, "25/3"), light, "25"),
        opaque("c", small, ["0.12+0.85*pow(1-Y/H,2)", "0.25+0.75*pow(Y/H,0.8)", "0.58-0.1*Y/H"], "gbrp10"),
        opaque("n", small, ["0.012+0.03*pow(Y/H,3)", "0.02+0.05*pow(Y/H,3)", "0.075+0.09*pow(Y/H,2)"], "gbrp10"),
        format!("{},scale=1280:720:flags=bicubic,format=yuv420p[s]", lit("l", "c", "n")),
        layer("t", canvas(1280, 720, "25"), [&r, &g, &b], &alpha),
        "[s][t]overlay[v]".to_owned(),
    ]
}

/// A town at night; every window keeps its own hours.
pub(in crate::demo) fn city_windows() -> Vec<String> {
    let full = canvas(960, 540, "30");
    let roof = format!("(13*floor(H/13*(0.26+0.42*{}+0.20*{})))", hash("floor(X/60)", "4"), hash("floor(X/20)", "9"));
    let house = format!("gt(Y,{roof})");
    let window = format!("lt(abs(mod(X,10)-5),3)*lt(abs(mod(Y,13)-6),4)*lt(Y,H*0.91)*gt(Y,{roof}+3)");
    let moon = "hypot(X-W*0.79,Y-H*0.17)/H";
    let shine = format!("(0.10*exp(-{moon}*5)+0.9*clip((0.052-{moon})*H,0,1)*(0.86+0.14*sin(X*0.12)*sin(Y*0.09+1)))");
    let wall = format!("(0.6+0.4*{})*(0.45+0.55*clip((Y/H-0.3)*1.8,0,1))", hash("floor(X/60)", "1"));
    let (sky, star) = ("pow(Y/H,1.6)", stars(31, 0.88));
    let colour = |wall_k: u32, low: u32, high: u32, star_k: u32, moon_k: u32| {
        format!("if({house},{wall_k}*{wall},{low}+{high}*{sky}+{star_k}*{star}+{moon_k}*{shine})")
    };
    let [r, g, b] = [colour(20, 7, 34, 190, 235), colour(22, 9, 22, 195, 225), colour(36, 30, 46, 200, 205)];
    // Lit while a slow wave of its own is above a height of its own.
    let hours = format!(
        "1023*(0.086+0.88*gt(sin(T*6.283/(14+30*{})+6.283*{}),0.1+0.9*{})*(0.55+0.45*{}))",
        hash("X+5", "Y"),
        hash("X", "Y"),
        hash("X+2", "Y+8"),
        hash("X", "Y+3"),
    );
    let (screen, lamp) = (format!("gt({},0.85)", hash("X+3", "Y+3")), hash("X+1", "Y+1"));
    let tint = [
        format!("if({screen},0.55,1)"),
        format!("if({screen},0.75,0.62+0.22*{lamp})"),
        format!("if({screen},1,0.25+0.35*{lamp})"),
    ];
    let cars = |name: &str, seed: &str, rgb: [&str; 3], speed: &str| {
        let on = format!("gt({},0.92)*exp(-pow((mod(X,10)-5)/1.7,2)-pow((Y-4)/1.7,2))", hash("floor(X/10)", seed));
        format!(
            "{};[{name}0]scroll=h={speed}[{name}]",
            layer(&format!("{name}0"), canvas(960, 9, "30"), rgb, &format!("255*{on}"))
        )
    };
    vec![
        field("i", canvas(96, 42, "3"), &hours, "30"),
        opaque("t", canvas(96, 42, "30"), [&tint[0], &tint[1], &tint[2]], "gbrp10"),
        "[i][t]blend=all_mode=multiply,scale=960:546:flags=neighbor,crop=960:540:0:0,format=yuv420p[w]".to_owned(),
        layer("f", full, [&r, &g, &b], &format!("255*(1-{window})")),
        cars("a", "1", ["255", "240", "200"], "0.0022"),
        cars("b", "2", ["255", "40", "25"], "-0.0017"),
        "[w][f]overlay[x];[x][a]overlay=0:H-36[y];[y][b]overlay=0:H-22,scale=1920:1080:flags=bicubic[v]".to_owned(),
    ]
}

/// Warm drops that rise and sink and join.
pub(in crate::demo) fn lava() -> Vec<String> {
    // Place, size, speeds sideways and upwards, phase.
    const DROPS: [[f64; 5]; 8] = [
        [0.30, 0.09, 0.9, 0.31, 0.0],
        [0.52, 0.07, 0.7, 0.23, 1.1],
        [0.70, 0.08, 1.1, 0.19, 2.3],
        [0.42, 0.10, 0.8, 0.27, 3.9],
        [0.60, 0.06, 1.3, 0.37, 5.0],
        [0.50, 0.13, 0.5, 0.11, 4.2],
        [0.24, 0.07, 0.8, 0.29, 2.9],
        [0.78, 0.09, 0.6, 0.25, 0.7],
    ];
    let drops = DROPS.map(|[x, size, sideways, upwards, phase]| {
        format!(
            "{:.4}/(pow((X/W-({x}+0.10*sin(T*{sideways}+{phase})))*1.78,2)\
             +pow(Y/H-(0.5+0.52*sin(T*{upwards}+{:.2})),2)+0.002)",
            size * size,
            phase * 2.1
        )
    });
    let value = format!(
        "st(0,{});st(0,ld(0)+pow(max(0,abs(Y/H-0.5)*2-0.55),2)*3.2);\
         1023*(0.10*min(1,ld(0))+0.9*clip((ld(0)-0.85)*2.6,0,1)*(0.55+0.45*clip((ld(0)-1)*0.6,0,1)))",
        drops.join("+")
    );
    let small = canvas(96, 54, "24");
    vec![
        field("l", canvas(96, 54, "12"), &value, "24"),
        opaque("c", small, ["1", "0.20+0.62*pow(Y/H,1.7)", "0.42-0.34*Y/H"], "gbrp10"),
        opaque("n", small, ["0.10+0.09*Y/H", "0.02+0.02*Y/H", "0.16-0.06*Y/H"], "gbrp10"),
        format!("{},scale=640:360:flags=bicubic,format=yuv420p[v]", lit("l", "c", "n")),
    ]
}

/// Street lamps out of focus behind a wet window.
pub(in crate::demo) fn rain_on_glass() -> Vec<String> {
    // Place, size, colour.
    const LAMPS: [[f64; 6]; 12] = [
        [0.20, 0.22, 0.13, 255.0, 150.0, 60.0],
        [0.30, 0.30, 0.12, 255.0, 190.0, 110.0],
        [0.66, 0.16, 0.16, 255.0, 190.0, 110.0],
        [0.90, 0.36, 0.10, 255.0, 70.0, 60.0],
        [0.76, 0.42, 0.09, 255.0, 60.0, 50.0],
        [0.35, 0.50, 0.17, 80.0, 160.0, 255.0],
        [0.72, 0.60, 0.14, 255.0, 170.0, 80.0],
        [0.08, 0.66, 0.11, 120.0, 255.0, 190.0],
        [0.22, 0.72, 0.10, 100.0, 240.0, 170.0],
        [0.52, 0.78, 0.18, 255.0, 120.0, 70.0],
        [0.90, 0.84, 0.14, 150.0, 120.0, 255.0],
        [0.25, 0.93, 0.14, 255.0, 200.0, 120.0],
    ];
    let lamps = |plane: usize| {
        let one = |(n, lamp): (usize, &[f64; 6])| {
            let far = format!("hypot(X/W-{},(Y/H-{})*1.78)", lamp[0], lamp[1]);
            let (size, colour) = (lamp[2], lamp[3 + plane]);
            format!("{colour}*(0.42+0.28*sin({n}*1.7))*clip(({far}-{size})*-14,0,1)*(0.75+0.4*{far}/{size})")
        };
        LAMPS.iter().enumerate().map(one).collect::<Vec<_>>().join("+")
    };
    let [r, g, b] = [lamps(0), lamps(1), lamps(2)];
    let street = format!("r='clip(12+26*Y/H+{r},0,255)':g='clip(14+8*Y/H+{g},0,255)':b='clip(36-10*Y/H+{b},0,255)'");
    vec![
        once("o", canvas(72, 128, "30"), "gbrp", &street, "gbrp"),
        "[o]eq=eval=frame:brightness='0.03*sin(t*0.8)':saturation='1.15+0.25*sin(t*0.5)',\
         scale=540:960:flags=bicubic,format=yuv420p[b]"
            .to_owned(),
        raindrops("d1", 20, 0.45, [0.05, 0.22], 0.0),
        format!("{};[d2]scroll=v=-0.0021[d3]", raindrops("d2", 54, 0.66, [0.08, 0.09], 0.35)),
        format!("{};[d4]scroll=v=-0.0083[d5]", raindrops("d4", 90, 0.80, [0.06, 0.07], 0.4)),
        "[b][d1]overlay[x];[x][d3]overlay[y];[y][d5]overlay,scale=720:1280:flags=bicubic[v]".to_owned(),
    ]
}

/// Drops on a grid: dark above and light below as a lens shows a street, with a spark and perhaps a trail.
fn raindrops(name: &str, cell: u32, rarity: f64, size: [f64; 2], trail: f64) -> String {
    let (i, j) = (format!("floor(X/{cell})"), format!("floor(Y/{cell})"));
    let fall = if trail > 0.0 { "0.9".to_owned() } else { hash(&format!("{i}+4"), &j) };
    let on = format!("gt({},{rarity})", hash(&format!("{i}+2"), &format!("{j}+6")));
    let place = format!(
        "st(2,0.01+{cell}*({}+{}*{}));st(0,mod(X,{cell})-ld(2)-({cell}-2*ld(2))*{});\
         st(1,mod(Y,{cell})-ld(2)-({cell}-2*ld(2))*{fall});st(3,hypot(ld(0),ld(1)*0.9)/ld(2))",
        size[0],
        size[1],
        hash(&format!("{i}+9"), &format!("{j}+2")),
        hash(&i, &format!("{j}+1")),
    );
    let colour = |mean: u32, slope: u32| {
        format!(
            "if({on},{place};clip({mean}+{slope}*ld(1)/ld(2)\
             +200*exp(-pow(hypot(ld(0)+ld(2)*0.35,ld(1)+ld(2)*0.4)/(ld(2)*0.25),2)),0,255),0)"
        )
    };
    let trail = format!("{trail}*lt(ld(1),0)*clip(1-abs(ld(0))/(ld(2)*0.6),0,1)*clip(1+ld(1)/({cell}*0.8),0,1)");
    let alpha = format!("if({on},{place};255*clip(clip((1-ld(3))*3,0,1)*(0.34+0.4*ld(3))+{trail},0,0.8),0)");
    layer(name, canvas(540, 960, "30"), [&colour(120, 90), &colour(125, 75), &colour(140, 60)], &alpha)
}

/// Hills, villages and lamps pass a window with round corners.
pub(in crate::demo) fn night_train() -> Vec<String> {
    const RATE: &str = "30000/1001";
    let (wide, view) = (canvas(1440, 480, RATE), canvas(720, 480, RATE));
    let lamps = |name: &str, cell: u32, top: f64, depth: f64, rarity: f64, size: f64, seed: &str| {
        let i = format!("floor(X/{cell})");
        let alpha = format!(
            "if(gt({},{rarity}),\
             255*exp(-pow(hypot(mod(X,{cell})-{cell}/2,Y-H*({top}+{depth}*{}))/({size}*(0.5+{})),2)),0)",
            hash(&format!("{i}+3"), seed),
            hash(&i, seed),
            hash(&format!("{i}+5"), seed),
        );
        let green = format!("130+120*{}", hash(&format!("{i}+7"), seed));
        let blue = format!("50+190*pow({},2)", hash(&format!("{i}+8"), seed));
        layer(name, wide, ["255", &green, &blue], &alpha)
    };
    // Whole numbers of waves across the strip, so that its ends meet when it is scrolled.
    let hills = "255*clip((Y-H*(0.50+0.05*sin(X/W*12.5664+1)+0.04*sin(X/W*31.416+2)+0.015*sin(X/W*106.814)))/2,0,1)";
    let trees = "255*clip((Y-H*(0.68+0.05*sin(X/W*18.8496)+0.035*abs(sin(X/W*75.398))\
        +0.02*abs(sin(X/W*182.21+1))))/2,0,1)";
    let star = stars(29, 0.85);
    let sky = [("0.03", "0.09*pow(Y/H,2)"), ("0.04", "0.06*pow(Y/H,2)"), ("0.13", "0.13*Y/H")]
        .map(|(top, down)| format!("{top}+{down}+0.7*{star}"));
    let edge = "hypot(max(0,abs(X-W/2)-W*0.40),max(0,abs(Y-H*0.47)-H*0.34))";
    let wall = |reflection: u32, high: u32, low: u32, rim: u32| {
        format!("if(lt({edge},H*0.1),{reflection},{high}-{low}*Y/H+{rim}*exp(-pow(({edge}-H*0.105)/4,2)))")
    };
    let reading_lamp = "26*exp(-pow((Y/H-0.2)/0.045,2))*clip(1.1-abs(X/W-0.62)*4,0,1)";
    vec![
        opaque("s", view, [&sky[0], &sky[1], &sky[2]], "yuv420p"),
        format!("{};[h]scroll=h=0.0007[h1]", layer("h", wide, ["9", "11", "24"], hills)),
        format!("{};[l]scroll=h=0.0014[l1]", lamps("l", 24, 0.56, 0.10, 0.55, 2.2, "1")),
        format!("{};[t]scroll=h=0.0042[t1]", layer("t", wide, ["4", "5", "10"], trees)),
        format!("{};[m]scroll=h=0.0098[m1]", lamps("m", 180, 0.44, 0.26, 0.45, 13.0, "5")),
        layer(
            "w",
            view,
            [&wall(255, 26, 14, 30), &wall(200, 20, 10, 24), &wall(120, 22, 8, 22)],
            &format!("if(lt({edge},H*0.1),{reading_lamp},255)"),
        ),
        "[s][h1]overlay[a];[a][l1]overlay[b];[b][t1]overlay[c];[c][m1]overlay[d];[d][w]overlay[v]".to_owned(),
    ]
}
