//! The words that engineers put into file names, as data.
//!
//! Source: token classes seen in 943 file names of real multitracks (`kick kik bd`, `snr sn sd`, ...),
//! the naming of public multitrack collections and of bounces from common workstations, and the everyday
//! words of other languages. Words are stored folded: lower case, no accents, no separators.
//! A word may say several things: *acoustic* hints at a guitar and makes a *gtr* acoustic.

use super::{Exclude, Role, Role::*};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How much a word that names a role can be trusted against the other words of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Could mean several things; only counts if nothing else speaks (*lead*, *solo*, *clean*).
    Hint,
    /// Names a family or a treatment (*drums*, *synth*, *reverb*).
    Broad,
    /// Names a place of microphones that other instruments may have too (*room*, *overhead*).
    Place,
    /// Names the instrument.
    Certain,
}

/// Which microphone or line of one source a file is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Mic {
    /// Inside (kick).
    In,
    /// Outside (kick).
    Out,
    /// Above (snare, toms, leslie).
    Top,
    /// Below.
    Bottom,
    /// Direct line.
    Di,
    /// Loudspeaker of an amplifier.
    Amp,
    /// Told apart by the model of the microphone (*57*, *421*).
    Model,
}

/// Left or right of a stereo pair.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// One thing a word says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Says {
    Role(Role, Level),
    Leave(Exclude),
    Side(Side),
    Mic(Mic),
    Index(u32),
    Double,
    Lead,
    Backing,
    Acoustic,
    Synthetic,
    Effect,
    Scratch,
    /// Known, and says nothing about the role.
    Nothing,
}

use Level::{Broad, Certain, Hint, Place};

const ROLES: &[(Role, Level, &str)] = &[
    (
        Kick,
        Certain,
        "kick kik kck kic kicks kickdrum bd kd bassdrum bdrum bassdr subkick kicksub  \
         kickbeater beater kickclick kicktrig kicksample kicksub kick808 808kick grossetrommel \
        bombo cassa grossecaisse  bumbo stopa bastrumma grancassa   bassedrum bochka \
        キック バスドラ бочка 底鼓",
    ),
    (
        Snare,
        Certain,
        "snare snares snaredrum snr snar sn sd sdrum rimshot rim sidestick xstick crossstick \
        caja rullante caisseclaire  caixa werbel virvel kleinetrommel redoblante tarola snarebody \
        スネア малый рабочий 军鼓",
    ),
    (
        Clap,
        Certain,
        "clap claps clp handclap handclaps snap snaps fingersnap fingersnaps palmas klatschen \
        klatsch stomp stomps stompclap palma クラップ хлопки",
    ),
    (
        HiHat,
        Certain,
        "hihat hihats hat hats hh hht hhat hhats openhat closedhat ohh chh hhc hho hhopen \
        hhclosed charley charleston charles charli contratempo ハイハット хэт хайхэт 踩镲",
    ),
    (
        Cymbals,
        Certain,
        "cymbal cymbals cym cyms cymb crash crashes ride rides splash china chinas becken \
        platos plato platillo platillos cymbale cymbales piatti piatto pratos prato  シンバル 镲",
    ),
    (
        Overhead,
        Place,
        "overhead overheads oh ohs ovh ovhd ovhds ovhead ovr ovrhd ohd oheads ohead \
        oberer オーバーヘッド оверхед",
    ),
    (
        Room,
        Place,
        "room rooms rm rms drumroom drumrooms roommic roommics raum raummikro raummikros sala \
        ambdrum amb ambi crotch knee knees kneemic wurst smash trashmic trash hallway stairwell \
        farmic far  drummono monodrum monomic",
    ),
    (
        Tom,
        Certain,
        "tom toms tomtom racktom floortom ftom rtom hitom hightom midtom lowtom lotom floor flr \
        rack   タム том томы tom1 tom2 tom3 hangetom standtom  ",
    ),
    (
        DrumKit,
        Broad,
        "drum drums drumkit drm drms dr drs kit kits drumset schlagzeug schlagz drumbus \
        drumsub drumstem bateria batteria batterie perkusja trummor trommler slagwerk drummix drumsmix \
        rummut trommer ドラム барабаны ударные 鼓 鼓组 drumcomp drumcrush",
    ),
    (
        Loop,
        Broad,
        "loop loops drumloop drumloops beat beats breakbeat breakbeats groove grooves tops \
        toploop toploops rhythmloop drumbeat drummachine drummachines schleife boucle",
    ),
    (Loop, Hint, "break breaks top amen fill fills 909 707 606"),
    (
        Percussion,
        Certain,
        "perc percs percu percussion percussions prc tamb tamby tambo tambourine tam \
        tambourin shaker shakers shkr shake conga congas bongo bongos cabasa clave claves guiro cowbell \
        cowbells cwbl djembe cajon timbale timbales timpani timp timps timpano triangle tri trgl maracas \
        maraca woodblock woodblocks agogo udu darbuka doumbek tabla taiko taikos bodhran chimes windchimes \
        barchimes gong vibraslap surdo pandeiro pandereta pandero rassel schellenkranz schelle pauke \
        pauken trommel percusion percussioni percussao percussie slagverk egg castanets sleighbells \
        sleigh bell bells tubularbells cuica ganza whistle perkussion hang handpan ударн перкуссия",
    ),
    (
        Bass,
        Certain,
        "bass basses bs bss bassgtr bassguitar bassgit     bassline \
        ebass ebas eb synthbass basssynth synbass bassyn subbassgtr slapbass fretless pbass jbass \
        uprightbass upright dblbass acousticbass acbass stringbass stabass bajo bajos \
        basse basso baixo bas basgitarr basgitaar basgitara basskitarre bassgitarre bajoelectrico moog \
        moogbass reese reesebass acidbass 303 growl wobble wob midbass bassa bassb ベース бас \
        басгитара 贝斯 basslead bassorgan organbass",
    ),
    (SubBass, Certain, "subbass bass808 808bass 808sub sub808 subs subby"),
    (SubBass, Broad, "sub 808 808s subline lowend"),
    (
        ElectricGuitar,
        Certain,
        "egtr egtrs eguitar eguitars elecgtr elecgtrs elgtr egt egit elecguitar \
        electricguitar electricgtr leadgtr leadguitar leadgit rhythmgtr rhythmguitar rhygtr rgtr lgtr \
        gtrlead guitarlead sologuitar sologtr baritonegtr baritoneguitar barigtr egitarre \
        guitarraelectrica guitareelectrique chitarraelettrica slidegtr slideguitar lapsteel pedalsteel \
        steelgtr steelguitar wahgtr tele telecaster strat stratocaster lespaul gtrsolo guitarsolo \
        gtrriff gtrwah distgtr cleangtr crunchgtr heavygtr powerchords powerchord",
    ),
    (
        ElectricGuitar,
        Certain,
        "gtr gtrs gt gts guitar guitars guit guits gui git gits gitarre gitarren \
        guitarra guitarras guitare guitares chitarra chitarre gitaar gitaren gitarr gitara gitary kitara \
        kitarre gitar ギター гитара 吉他 guitarrs guitr quitar gitaras",
    ),
    (
        ElectricGuitar,
        Hint,
        "elec electric eg solo riff riffs rhythm rhy rhyth rythm crunch dist distorted \
        distortion chug chugs wah fuzz marshall vox30 mesa powerball tremolo trem picking skank chank \
        palmmute pm slide lick licks twang",
    ),
    (
        AcousticGuitar,
        Certain,
        "agtr agtrs aguitar acgtr acgtrs acguitar acogtr acousticgtr \
        acousticguitar acousgtr acgit acgt nylon nylongtr nylonguitar steelstring 12string twelvestring \
        classicalguitar classicalgtr dobro banjo banjos bnjo mando mandolin mandolins mandola mandoline \
        ukulele ukuleles uke ukes bouzouki oud lute laud charango cavaquinho cuatro resonator akustikgitarre \
        westerngitarre konzertgitarre guitarraacustica guitareacoustique chitarraacustica violao viola12 \
        balalaika sitar koto shamisen cavaco guitarron requinto zither strum strums strummed highstrung nashville",
    ),
    (
        AcousticGuitar,
        Hint,
        "ac aco acu acous acoustic acoustics acoust ag akustik akustisch acustica acustico \
        acoustique fingerpicked fingerpick",
    ),
    (
        Piano,
        Certain,
        "piano pianos pno pnos pian pianoforte grandpiano  uprightpiano klavier fluegel \
        piyano pianola feltpiano honkytonk tackpiano ピアノ пиано фортепиано рояль 钢琴 fortepiano",
    ),
    (
        ElectricPiano,
        Certain,
        "epiano epno epianos elecpiano electricpiano rhodes rhoads rodes wurli wurly \
        wurl wurlie wurlitzer fenderrhodes dx7ep dxpiano cp70 cp80 pianoelectrico suitcase fmpiano ep1 ep2",
    ),
    (ElectricPiano, Hint, "ep"),
    (
        Organ,
        Certain,
        "organ organs org orgn hammond hamm b3 c3 leslie farfisa voxcontinental orgel orgue \
        organo churchorgan drawbar drawbars pipeorgan orgao орган オルガン harmonium pumporgan",
    ),
    (
        Keys,
        Certain,
        "clav clavi clavinet celesta celeste harpsichord cembalo clavecin accordion accordian \
        accordeon akkordeon acordeon fisarmonica melodica toypiano vibes vibraphone vibraphon vibe marimba \
        xylophone xylo xylophon glock glockenspiel glocken musicbox kalimba mbira steeldrum steeldrums \
        steelpan mellotron chamberlin tron concertina bandoneon dulcimer mallets mallet",
    ),
    (
        Keys,
        Broad,
        "keys keyboard keyboards keyb keybd kybd kbd kb key kys tasten teclado teclados clavier \
        claviers tastiera tastiere toetsen klawisze synthkeys nord キーボード клавиши 键盘 keyz",
    ),
    (
        Synth,
        Certain,
        "synthlead leadsynth synlead leadsyn synthpluck arp arps arpeggio arpegg arpeggiator \
        supersaw supersaws sawlead minimoog juno  polysynth minilogue dx7 jp8 jupiter sh101 \
        ms20 obx monosynth polymoog    sylenth omnisphere  sinelead squarelead",
    ),
    (
        Synth,
        Broad,
        "synth synths synt syn synthe synthi synthesizer synthesiser synthetiseur sintetizador \
        sint pluck plucks plk stab stabs stb melody melodie melodia mel saw saws sine square lead2 chords \
        chord chd chrd seq sequence sequencer bleep bleeps blip blips acid hooksynth modular eurorack \
        keystab シンセ синт 合成器 leadsaw topline motif",
    ),
    (Synth, Hint, "counter countermelody ostinato"),
    (
        Pad,
        Certain,
        "pad pads synthpad padsynth stringpad stringspad choirpad voxpad warmpad padstrings \
        padchoir synthstrings stringsynth synthstring stringmachine solina padloop flaeche flaechen \
        nappe nappes drone drones パッド пэд",
    ),
    (
        Strings,
        Certain,
        "strings string strg strgs strs str violin violins vln vlns vn vns violon violons \
        violino violine violinen fiddle fiddles viola violas vla vlas cello cellos celli cell vc  vlc \
        vcs violoncello contrabass contrabasses contrabassi doublebasses kontrabass kontrabaesse \
        contrebasse contrabajo contrabbasso  quartet stringquartet streicher geige geigen \
        bratsche bratschen cuerdas cordes archi cordas skrzypce straker stryk pizz pizzicato pizzstrings \
        spiccato staccatostrings legatostrings tremolostrings erhu ストリングス скрипка струнные 弦乐 stringsec strgsec",
    ),
    (Bass, Certain, "doublebass"),
    (Harp, Certain, "harp harps harfe arpa harpe harpa harp1 арфа 竖琴"),
    (
        Orchestral,
        Certain,
        "orchestra orchestral orch orchester orchestre orquesta orchestrahit orchhit \
        tutti ensemble philharmonic orkest оркестр symphonic symphony",
    ),
    (
        Brass,
        Certain,
        "brass brasses horn horns hrn hrns hns hn trumpet trumpets tpt tpts trp trpt trpts \
        trump  trombone trombones tbn tbns trb trbn trmb trom bone bones basstrombone basstbn tuba tubas flugel \
        flugelhorn  flug flugelhrn cornet frenchhorn frenchhorns frhorn frhrn euphonium sousaphone \
        hornsection brasssection trompete trompeten posaune posaunen blaeser blech trompeta trompetas \
        trompette trompettes cuivres cuivre ottoni tromba trombe trompete metais metales vientos   \
        トランペット ブラス труба тромбон 铜管 小号 hornstab brassstab waldhorn",
    ),
    (
        Woodwind,
        Certain,
        "sax saxes saxo saxophone saxophones saxophon altosax  tenorsax barisax \
        sopranosax    asax tsax bsax ssax flute flutes flt flts flauta floete floeten querfloete \
        flauto piccolo picc clarinet clarinets clar clari clarinette klarinette clarinete clarinetto \
        bassclarinet bassclar oboe oboes hautbois englishhorn coranglais bassoon bassoons bsn bsns fagott \
        fagotto contrabassoon recorder blockfloete panflute panpipes pennywhistle tinwhistle whistles \
        woodwind woodwinds winds  ww wws harmonica  mundharmonika harmonicas armonica \
        bluesharp bagpipes bagpipe didgeridoo ocarina shakuhachi  holzblaeser サックス саксофон флейта 萨克斯 fiati",
    ),
    (
        LeadVocal,
        Certain,
        "leadvox leadvocal leadvocals leadvoc leadvocs leadvx ldvox ldvoc ldvocal ldvoc1 lv \
        lvox lvoc ldv lvx lvocal mainvox mainvocal mainvoc mainvocals voxlead vocallead voclead vocalslead \
        leadsinger singer hauptstimme hauptgesang leadgesang vozprincipal chantlead voixlead voixprincipale vocelead \
        voceprincipale rap raps rapper rapvox verserap ledsang zangleadd leadzang 主唱",
    ),
    (LeadVocal, Hint, "lead leads ld main"),
    (
        BackingVocal,
        Certain,
        "bgv bgvs bgvox bgvocal bgvocals bgvoc bgvocs bgvx bv bvs bvx bvox bvoc bvocal bvocals \
        bkv bkvs bkvox bkgvox bkgvocal bkgdvox bkgv backvox backvoc backvocal backvocals backingvox backingvocal \
        backingvocals backingvoc backingvocs backupvox backupvocals backgroundvox backgroundvocals \
        backgroundvocal harmonyvox harmvox voxharm vocharm harmvoc harmonyvocal gangvox gangvocal \
        gangvocals gangvoc gangs groupvox groupvocals adlib adlibs adl adlbs coros coristas cori choeurs \
        choristes backings hintergrundgesang chorgesang backinggesang korus          lala \
          shout shouts yells yell       バックコーラス コーラス бэк бэки 和声 vocalharmony harmonies",
    ),
    (BackingVocal, Broad, "bg bgs backing background backgrounds backup"),
    (
        BackingVocal,
        Hint,
        "harm harms harmony throw throws stack stacks thirds fifths counterpoint crowd gang",
    ),
    (
        Choir,
        Certain,
        "choir choirs chor choirvox choral gospelchoir coro chorale childrenschoir   chorvox kor хор 合唱",
    ),
    (
        Vocal,
        Certain,
        "vox vocal vocals voc vocs vcl vx vxs voice voices vocl vokal vokals voix voz voces vozes \
        voce voci stimme stimmen gesang chant zang sang saang wokal wokale laulu vocalchop vocalchops voxchop \
        voxchops vocoder talkbox vokaal acapella acappella ボーカル ヴォーカル вокал голос 人声 vocalist canto canta \
        beatbox beatboxing spoken spokenword speech sprache sprecher whisper whispers vocali",
    ),
    (Vocal, Hint, "male female girl girls boy boys man woman homme femme mann frau mic1 sm7 talk"),
    (Room, Hint, "mono"),
    (Tom, Broad, "ft tm"),
    (Kick, Broad, "gc"),
    (Snare, Broad, "cc"),
    (Woodwind, Broad, "bari tenor soprano alto"),
    (
        BackingVocal,
        Broad,
        "ooh oohs oooh ooohs aah aahs ah ahs aahh hey heys yeah yeahs whoa whoas woah woahs oo oos",
    ),
    (Choir, Hint, "chorus"),
    (Piano, Broad, "grand"),
    (Synth, Broad, "virus serum massive nexus prophet"),
    (
        Fx,
        Broad,
        "fx efx sfx efx effect effects effekt effekte efecto efectos effet effets effetti efeito efeitos \
        riser risers rise uplifter uplifters uplift downlifter downlifters downlift sweep sweeps sweepup \
        impact impacts boom booms hit hits whoosh whooshes swoosh transition transitions trans reverse rev \
        revcymbal reversecymbal revcrash texture textures atmos atmosphere atmo foley vinyl crackle \
        turntable turntables dj scratches noise whitenoise noisesweep laser zap zaps siren sirens \
        アンビエント эффект 效果 soundscape fieldrecording field nature rain thunder birds wind1 tape tapestop gunshot explosion",
    ),
    (
        Fx,
        Broad,
        "verb reverb rvb rvrb rev1 hall plate plt spring chamber delay delays dly dlys ddl echo echoes \
        h3000 h910 shimmer slap slapback chorusfx flanger phaser pingpong hallraum fxreturn return rtn returns \
        aux auxreturn parallel crushed",
    ),
    (
        Fx,
        Hint,
        "ambience ambient swell swells build builds buildup scratch glitch glitches sample samples smp smpl \
        bed ear candy earcandy random misc noises",
    ),
];

const OTHERS: &[(Says, &str)] = &[
    (
        Says::Leave(Exclude::Click),
        "click clicks clk clicktrack metronome metronom metro klick klicktrack claqueta \
        clic metronomo clicktrk metronoom clik",
    ),
    (
        Says::Leave(Exclude::Count),
        "count counts countin countins countoff counting introcount einzaehler einzaehlen \
        vorzaehler cuenta anzaehler cueing",
    ),
    (Says::Leave(Exclude::Talkback), "talkback talkbk tbmic slate slatemic talkmic listenmic"),
    (
        Says::Leave(Exclude::Guide),
        "guide guides guidevox guidevocal guidegtr guidetrack leitspur pilot pilotspur \
        guia temoin maquette scratchvox scratchvocal scratchvoc scratchgtr scratchguitar scratchtrack cue cues cuetrack",
    ),
    (
        Says::Leave(Exclude::FullMix),
        "mix mixes mixdown mixdowns master masters mastered mastering print prints bounce \
        bounces bounced ref reference refmix rough roughs roughmix fullmix finalmix stereomix premaster premix 2mix \
        2track 2trk 2bus mixbus masterbus stereoout stereoutput mainout masterout mainmix tvmix tvtrack \
        instrumental instrumentalmix voxup vocalup vocup voxdown vocaldown novox novocal novocals minusone \
        playback backingtrack karaoke fulltrack fullsong wholesong gesamtmix summe stereosumme mezcla \
        missaggio mischung monomix recall stereomaster unmastered album demomix",
    ),
    (
        Says::Side(Side::Left),
        "l left lft lef links linke izq izquierda gauche gch sinistra sx esquerda vanster lh",
    ),
    (
        Says::Side(Side::Right),
        "r right rgt rht rt rechts rechte der derecha droite drt destra dx direita hoger rh",
    ),
    (Says::Mic(Mic::In), "in inside inner  innen dentro"),
    (Says::Mic(Mic::Out), "out outside outer  aussen fuera front reso"),
    (Says::Mic(Mic::Top), "top tp oben arriba"),
    (
        Says::Mic(Mic::Bottom),
        "bottom bot btm bttm bottm under underneath below bt unten abajo btom",
    ),
    (Says::Mic(Mic::Di), "di direct dibox lineout line  dirin"),
    (
        Says::Mic(Mic::Amp),
        "amp amped amplifier cab cabinet   combo verstaerker ampli reamp reamped",
    ),
    (
        Says::Mic(Mic::Model),
        "57 58 421 414 451 87 47 67 84 121 122 160 441 409 906 609 112 52 91 88 4050 4033 \
        sm57 sm58 sm7 sm7b md421 md441 c414 c451 u87 u47 u67 u89 km84 km184 r121 r122 m160 e906 e609 d112 beta52 b52 \
        beta91 b91 re20 m88 at4050 tlm103 u87ai fet47 d6 d12 atm25 ribbon condenser dynamic royer neumann coles 4038 \
        schoeps dpa 4006 blumlein decca spaced",
    ),
    (
        Says::Double,
        "dbl dbls double doubles doubled doubling dubl dub dubs dup dpl doppel doppelt doblada doble doublage \
        dobra dubbel dubbed dbltrack dt adt",
    ),
    (Says::Lead, "lead leads ld main leadvox principal principale haupt solista"),
    (
        Says::Backing,
        "bg bgs back bk backing background backup harm harms harmony harmonies gang group crowd adlib adlibs \
        stack stacks ooh oohs ah ahs aah oh ohs lala chorgesang hintergrund coro third fifth octave throw throws support secondary choir chorus2",
    ),
    (
        Says::Acoustic,
        "ac aco acu acous acoustic acoust acoustics akustik akustisch acustica acustico acoustique nylon \
        classical folk strum strummed 12string steelstring dobro spanish flamenco",
    ),
    (Says::Synthetic, "synth synths syn synt synthe synthi synthesizer patch mellotron moog"),
    (
        Says::Effect,
        "verb reverb rvb rvrb hall plate spring chamber delay delays dly dlys echo echoes fx efx h3000 h910 \
        slapback pingpong return rtn returns shimmer effect effects wet throw throws slapdelay",
    ),
    (Says::Scratch, "scratch"),
    (Says::Index(1), "one"),
    (Says::Index(2), "two"),
    (Says::Index(3), "three"),
    (Says::Index(4), "four"),
    (Says::Index(5), "five"),
    (Says::Index(6), "six"),
    (
        Says::Nothing,
        "mic mics mik mikes track tracks trk audio stem stems take takes tk new final old edit edited edits \
        comp comped tuned tune melodyne alt alternative verse vers vs pre post prechorus refrain chorus chr bridge intro outro hook drop \
        clean dry raw stereo open closed close high low hi lo mid middle trig trigger triggered copy bus buss sub \
        sum grp layer layers big small fat heavy soft hard loud quiet section sec full part parts short long \
        pt a b c d e and und y et the of for to with no multi multis multitrack multitracks consolidated rendered render \
        export exported wav wave aif aiff flac files file recording recordings rec session song bpm mono extra add \
        additional more overdub overdubs od punch fix fixed good best keeper eq eqd compressed gated gate processed \
        unprocessed unmuted muted mute trimmed normalized norm bip region merged glued group warm bright dark deep sweet \
        clean1 submix center centre centr ctr mids side ms xy ab ortf pair near spot ext int left2 tracked live studio \
        finger pick slapped picked muted1 palm hand ghost main1 rim1 body attack punchy spanish electric elec el jazz rock funk",
    ),
];

/// Every known word with what it says.
pub(super) static WORDS: LazyLock<BTreeMap<&'static str, Vec<Says>>> = LazyLock::new(|| {
    let mut words: BTreeMap<&'static str, Vec<Says>> = BTreeMap::new();
    let roles = ROLES.iter().map(|&(role, level, list)| (Says::Role(role, level), list));
    for (says, list) in roles.chain(OTHERS.iter().copied()) {
        for word in list.split_whitespace() {
            let meanings = words.entry(word).or_default();
            if !meanings.contains(&says) {
                meanings.push(says);
            }
        }
    }
    words
});
