//! The films of `small-hours`: what is quiet.

use super::{canvas, field, hash, layer, lit, once, opaque, stars};

/// Conway's game as lights in the water, each cell a lamp that fades.
pub(in crate::demo) fn plankton() -> Vec<String> {
    let dot = "lum='255*clip(1.25-hypot(mod(X,8)-3.5,mod(Y,8)-3.5)/3.4,0,1)'";
    vec![
        "life=s=80x45:r=25/8:ratio=0.14:seed=8,format=gray,framerate=25:interp_start=0:interp_end=255,\
         scale=640:360:flags=neighbor[a]"
            .to_owned(),
        once("k", canvas(640, 360, "25"), "gray", dot, "gray"),
        "[a][k]blend=all_mode=multiply,lagfun=decay=0.96,scroll=h=0.0007:v=0.0003,split[p][q]".to_owned(),
        "[p]format=gbrp[a1];[q]scale=160:90:flags=area,gblur=sigma=3.2,scale=640:360:flags=bilinear,format=gbrp[b1]"
            .to_owned(),
        "gradients=s=160x90:r=25:n=4:c0=#20ffd0:c1=#2a86ff:c2=#a06bff:c3=#30ffa0:speed=0.008:seed=5\
         :x0=0:y0=0:x1=160:y1=90,scale=640:360,format=gbrp,split[c1][c2]"
            .to_owned(),
        "[a1][c1]blend=all_mode=multiply[d];[b1][c2]blend=all_mode=multiply[e];[d][e]blend=all_mode=screen[f]"
            .to_owned(),
        opaque("n", canvas(640, 360, "25"), ["0.012", "0.03+0.06*pow(1-Y/H,2)", "0.09+0.12*pow(1-Y/H,2)"], "gbrp"),
        "[f][n]blend=all_mode=screen,scale=1280:720:flags=bicubic,format=yuv420p[v]".to_owned(),
    ]
}

/// A hut in the woods with its windows lit, in a world 1280 wide and 720 high.
fn hut() -> [String; 3] {
    const X: &str = "(X*4/3)";
    const Y: &str = "(Y*4/3)";
    // Foot in the middle, height, half width.
    const PINES: [[u32; 4]; 7] = [
        [60, 610, 330, 96],
        [190, 620, 230, 70],
        [300, 628, 165, 50],
        [1010, 620, 180, 56],
        [1110, 612, 280, 84],
        [1235, 606, 380, 110],
        [890, 626, 120, 38],
    ];
    let pine = |[x, foot, height, wide]: [u32; 4]| {
        let down = format!("(({Y}-{})/{height})", foot - height);
        // Most of the picture is not near this pine: the first question is the cheap one.
        format!(
            "if(lt(abs({X}-{x}),{wide}),between({down},0,1)*lt(abs({X}-{x}),{wide}*({down}*0.75+0.25*mod({down}*5,1))),0)"
        )
    };
    let pines = PINES.map(pine).join("+");
    let snow = "gt(Y,H*(0.80+0.03*sin(X/W*4.2+0.6)+0.012*sin(X/W*11)))";
    let walls = format!(
        "between({X},560,720)*between({Y},520,620)+between({Y},462,520)*lt(abs({X}-640),({Y}-462)*1.75)\
         +between({X},680,702)*between({Y},470,520)"
    );
    let pane = |left: u32| {
        format!(
            "between({X},{left},{})*between({Y},548,584)*gt(abs({X}-{}),1.5)*gt(abs({Y}-566),1.5)",
            left + 32,
            left + 16
        )
    };
    let panes = format!("{}+{}", pane(590), pane(660));
    let glow = format!("exp(-hypot(({X}-640)/150,({Y}-610)/46)*1.6)");
    // Pane, wall, snow, glow on the snow, pine, sky above, sky below: red, green, blue.
    [
        ["1", "0.055", "0.34", "0.45", "0.030", "0.05", "0.07"],
        ["0.72", "0.05", "0.39", "0.25", "0.045", "0.07", "0.09"],
        ["0.34", "0.075", "0.56", "0.04", "0.085", "0.16", "0.13"],
    ]
    .map(|[pane, wall, white, warm, pine, top, low]| {
        format!(
            "if(if(between({X},560,720),{panes},0),{pane},if(if(between({X},536,744),{walls},0),{wall},\
             if({snow},{white}*(1.1-0.5*Y/H)+{warm}*{glow},\
             if(lt(0,{pines}),{pine},{top}+{low}*pow(Y/H,1.5)))))"
        )
    })
}

/// Snow in three depths falls on the hut.
pub(in crate::demo) fn slow_snow() -> Vec<String> {
    let on = canvas(960, 540, "25");
    let flakes = |name: &str, cell: u32, rarity: f64, size: f64, alpha: u32, seed: u32| {
        let (i, j) = (format!("floor(X/{cell})"), format!("floor(Y/{cell})"));
        let far = format!(
            "hypot(mod(X,{cell})-{cell}*(0.25+0.5*{}),mod(Y,{cell})-{cell}*(0.25+0.5*{}))",
            hash(&format!("{i}+{seed}"), &j),
            hash(&i, &format!("{j}+{seed}")),
        );
        let alpha = format!(
            "if(gt({},{rarity}),{alpha}*clip(1.3-{far}/({size}*(0.6+0.6*{})),0,1),0)",
            hash(&format!("{i}+3"), &format!("{j}+{seed}")),
            hash(&format!("{i}+5"), &j),
        );
        layer(name, on, ["235", "240", "255"], &alpha)
    };
    let [r, g, b] = hut();
    vec![
        opaque("s", on, [&r, &g, &b], "yuv420p"),
        format!("{};[f1]scroll=v=-0.0014:h=0.0002[g1]", flakes("f1", 15, 0.80, 1.1, 120, 1)),
        format!("{};[f2]scroll=v=-0.0028:h=-0.0004[g2]", flakes("f2", 30, 0.72, 1.8, 190, 2)),
        format!("{};[f3]scroll=v=-0.0048:h=0.0006[g3]", flakes("f3", 60, 0.66, 3.8, 150, 3)),
        "[s][g1]overlay[a];[a][g2]overlay[b];[b][g3]overlay,scale=1280:720:flags=bicubic[v]".to_owned(),
    ]
}

/// The sky turns about its pole in front of a nebula.
pub(in crate::demo) fn deep_field() -> Vec<String> {
    const RATE: &str = "24000/1001";
    let small = canvas(80, 34, RATE);
    let cloud = "st(0,sin(X/W*5+1.3*sin(Y/H*4+T*0.05)+T*0.04)+sin(Y/H*6+1.7*sin(X/W*3.1-T*0.04))\
        +0.6*sin((X+Y)/W*9+2*sin(X/W*5+T*0.06)));1023*pow(clip(0.5+ld(0)*0.28,0,1),2)";
    let star = format!("lum='250*({}+{})'", stars(17, 0.84), stars(47, 0.6));
    vec![
        field("l", canvas(80, 34, "6000/1001"), cloud, RATE),
        opaque("c", small, ["0.20+0.26*sin(X/W*3)", "0.09+0.12*Y/H", "0.36+0.18*cos(X/W*4)"], "gbrp10"),
        opaque("n", small, ["0.02", "0.025", "0.06"], "gbrp10"),
        format!("{},scale=960:408:flags=bicubic,format=yuv420p[b]", lit("l", "c", "n")),
        once("o", canvas(1056, 1056, RATE), "gray", &star, "gray"),
        "[o]rotate=a=t*0.012:bilinear=1:ow=960:oh=408:c=black,lagfun=decay=0.982,format=yuv420p[s]".to_owned(),
        "[b][s]blend=c0_mode=lighten,scale=1280:544:flags=bicubic,format=yuv420p10le[v]".to_owned(),
    ]
}

/// The moon and its way across the water.
pub(in crate::demo) fn tide() -> Vec<String> {
    const HORIZON: &str = "0.44";
    // Waves are evenly spaced in the logarithm of their distance from the horizon, as perspective has it.
    let water = format!(
        "1023*if(lt(Y/H,{HORIZON}),0,st(0,max(0.004,Y/H-{HORIZON}));st(1,log(ld(0)+0.012));st(2,(X/W-0.5)*1.78);\
         st(6,ld(2)/(ld(0)+0.09));st(3,sin(ld(1)*21+T*1.3+1.3*sin(ld(6)*2.3+T*0.4)));\
         st(4,sin(ld(1)*34-T*0.9+1.7*sin(ld(6)*3.7-T*0.5+1.3)));\
         st(5,exp(-pow(ld(2)/(0.05+ld(0)*0.42+0.02*ld(4)),2)));\
         clip(0.13+0.10*ld(0)+0.035*ld(3)+0.025*ld(4)\
         +0.85*ld(5)*pow(clip(0.42+0.36*ld(3)+0.3*ld(4),0,1),2),0,1))"
    );
    let (moon, star) = ("hypot((X/W-0.5)*1.78,Y/H-0.2)", stars(25, 0.87));
    let sky = |top: u32, low: u32, halo: u32, disc: u32, seas: f64| {
        format!(
            "if(lt({moon},0.075),0,clip({top}+{low}*pow(Y/H/{HORIZON},2)+{halo}*exp(-{moon}*5)+170*{star},0,255))\
             +{disc}*clip((0.075-{moon})*H*0.7,0,1)*(0.9+{seas}*sin(X*0.13)*sin(Y*0.11+1))"
        )
    };
    let way = "exp(-pow((X/W-0.5)*4,2))";
    let tint = [format!("0.42+0.5*{way}"), format!("0.60+0.36*{way}"), "0.98".to_owned()];
    vec![
        field("l", canvas(144, 108, "25/3"), &water, "25"),
        opaque("c", canvas(144, 108, "25"), [&tint[0], &tint[1], &tint[2]], "gbrp10"),
        opaque("n", canvas(144, 108, "25"), ["0.012", "0.035", "0.11"], "gbrp10"),
        format!("{},scale=720:576:flags=bicubic,format=yuv420p[w]", lit("l", "c", "n")),
        layer(
            "k",
            canvas(720, 576, "25"),
            [&sky(7, 16, 26, 228, 0.1), &sky(11, 22, 30, 220, 0.1), &sky(30, 34, 38, 196, 0.08)],
            &format!("255*clip(({HORIZON}-Y/H)*H/2+0.5,0,1)"),
        ),
        "[w][k]overlay[v]".to_owned(),
    ]
}

/// Fifteen fireflies above the grass, in three moods.
pub(in crate::demo) fn fireflies() -> Vec<String> {
    let on = canvas(960, 540, "50");
    let trees = "(H*(0.50-0.10*abs(sin(X/W*7+0.6))-0.05*abs(sin(X/W*23))-0.012*abs(sin(X*0.4)))+H*0.12*sin(X/W*3.14))";
    let star = stars(27, 0.86);
    let meadow = [
        ("0.02+0.05*pow(Y/H,3)", "0.035+0.28*pow(Y/H,2)"),
        ("0.045+0.10*pow(Y/H,3)", "0.06+0.216*pow(Y/H,2)"),
        ("0.06+0.03*Y/H", "0.17+0.14*Y/H"),
    ]
    .map(|(dark, sky)| format!("if(gt(Y,{trees}),{dark},{sky}+0.6*{star})"));
    let grass = format!(
        "255*clip((Y+432-540*(0.985-0.11*{}*pow(abs(sin(X*0.13+2*sin(X*0.031))),3)-0.05*abs(sin(X*0.29+1))))/3,0,1)",
        hash("floor(X/17)", "3")
    );
    let mood = |name: &str, phase: f64| {
        format!(
            "color=black:s=64x64:r=10,format=gbrap,geq=r='225':g='255':b='120':a='255*min(1,exp(-pow(hypot(X-32,Y-32)\
             /3.6,1.2))+0.34*exp(-pow(hypot(X-32,Y-32)/12,2)))*pow(clip(0.5+0.75*sin(T*1.3+{phase}),0,1),2)',\
             format=yuva420p,fps=50,split=5[{name}0][{name}1][{name}2][{name}3][{name}4]"
        )
    };
    let mut graph = vec![opaque("s0", on, [&meadow[0], &meadow[1], &meadow[2]], "yuv420p")];
    graph.extend([mood("p", 0.0), mood("q", 2.1), mood("r", 4.2)]);
    for k in 0..15_u32 {
        let (n, mood) = (f64::from(k), ["p", "q", "r"][k as usize % 3]);
        let (x, y) = (0.06 + 0.063 * n, 0.50 + 0.02 * f64::from(k * 7 % 15));
        let (wide, high) = (0.06 + 0.02 * f64::from(k % 5), 0.05 + 0.015 * f64::from(k % 4));
        let (fast_x, fast_y) = (0.17 + 0.03 * f64::from(k * 4 % 9), 0.21 + 0.04 * f64::from(k * 5 % 8));
        graph.push(format!(
            "[s{k}][{mood}{}]overlay=x='W*({x:.3}+{wide:.2}*sin(t*{fast_x:.2}+{:.1}))-32'\
             :y='H*({y:.2}+{high:.3}*sin(t*{fast_y:.2}+{:.2}))-32'[s{}]",
            k / 3,
            n * 1.3,
            n * 2.21,
            k + 1
        ));
    }
    graph.push(layer("g", canvas(960, 108, "50"), ["5", "12", "11"], &grass));
    graph.push("[s15][g]overlay=0:432[v]".to_owned());
    graph
}
