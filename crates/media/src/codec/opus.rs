//! Ogg Opus, mono to 7.1, chained too: decoded at 48 kHz, encoder delay and end trimmed, header gain applied.

use super::foreign::Span;
use super::ogg::{Link, last_granule, links};
use super::{Decoder, Opened, Sink, comment_tags};
use crate::error::MediaError;
use crate::info::{Container, Encoding, Info, Note};
use opus_pure::{MAX_PACKET_SAMPLES, OggOpusReader, OpusDecoder, OpusHead, OpusMSDecoder, Trim};
use std::io::BufReader;
use std::path::Path;
use topdown_units::SampleRate;

const RATE: i32 = 48_000;

/// Opus in Ogg.
pub(super) struct Opus;

/// For 1 to 8 channels: the Vorbis channel of each WAVE channel, and the WAVE speaker mask.
const ORDERS: [(&[usize], u32); 8] = [
    (&[0], 0x4),
    (&[0, 1], 0x3),
    (&[0, 2, 1], 0x7),
    (&[0, 1, 2, 3], 0x33),
    (&[0, 2, 1, 3, 4], 0x37),
    (&[0, 2, 1, 5, 3, 4], 0x3f),
    (&[0, 2, 1, 6, 5, 3, 4], 0x70f),
    (&[0, 2, 1, 7, 5, 6, 3, 4], 0x63f),
];

/// The decoder for one or several streams a packet.
enum Streams {
    One(Box<OpusDecoder>),
    Many(OpusMSDecoder),
}

impl Streams {
    fn new(head: &OpusHead) -> opus_pure::Result<Self> {
        if head.mapping_family == 0 {
            return head.decoder(RATE).map(|d| Self::One(Box::new(d)));
        }
        let mut decoder = OpusMSDecoder::new(
            RATE,
            usize::from(head.channel_count),
            i32::from(head.mapping_family).try_into().unwrap_or(u8::MAX),
        )?;
        for stream in decoder.streams_mut() {
            stream.gain_q8 = i32::from(head.output_gain_q8);
        }
        Ok(Self::Many(decoder))
    }

    fn decode(&mut self, packet: &[u8], out: &mut [f32]) -> opus_pure::Result<usize> {
        match self {
            Self::One(decoder) => decoder.decode(packet, MAX_PACKET_SAMPLES, out),
            Self::Many(decoder) => decoder.decode(packet, MAX_PACKET_SAMPLES, out),
        }
    }
}

type Ogg = OggOpusReader<BufReader<Span>>;

fn reader(path: &Path, link: &Link) -> Result<Ogg, MediaError> {
    let span = BufReader::new(Span::new(path, link.start, link.len)?);
    OggOpusReader::new(span).map_err(|e| MediaError::damaged(path, "Opus", e.to_string()))
}

impl Decoder for Opus {
    fn open(&self, path: &Path) -> Result<Opened, MediaError> {
        let links = links(path)?;
        let first = links
            .first()
            .ok_or_else(|| MediaError::damaged(path, "Opus", "its first page is broken"))?;
        let reader = reader(path, first)?;
        let head = reader.head();
        let channels = u16::from(head.channel_count);
        if !(1..=8).contains(&channels) || head.mapping_family > 1 {
            return Err(MediaError::unsupported(
                path,
                format!("Opus of {channels} channels in mapping {}", head.mapping_family),
            ));
        }
        let frames = match (links.len(), last_granule(path, first)?) {
            (1, Some(end)) => Some(end.saturating_sub(u64::from(head.pre_skip))),
            _ => None,
        };
        let comments = reader.tags().comments.iter().filter_map(|c| c.split_once('='));
        let info = Info {
            container: Container::Ogg,
            encoding: Encoding::Opus,
            rate: SampleRate::STUDIO,
            channels,
            frames,
            mask: ORDERS.get(usize::from(channels) - 1).map(|o| o.1).filter(|_| channels > 2),
            time_reference: None,
            tags: comment_tags(comments),
        };
        Ok(Opened { info, notes: Vec::new() })
    }

    fn decode(
        &self,
        path: &Path,
        info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        let mut notes = Vec::new();
        for link in &links(path)? {
            let mut reader = reader(path, link)?;
            if u16::from(reader.head().channel_count) != info.channels {
                notes.push(Note::warning(
                    "changes its channels on the way; only the part before is used",
                ));
                break;
            }
            decode_link(path, &mut reader, sink, &mut notes)?;
        }
        Ok(notes)
    }
}

fn decode_link(
    path: &Path,
    reader: &mut Ogg,
    sink: &mut Sink<'_>,
    notes: &mut Vec<Note>,
) -> Result<(), MediaError> {
    let wrong = |e: opus_pure::Error| MediaError::damaged(path, "Opus", e.to_string());
    let channels = usize::from(reader.head().channel_count);
    let order = ORDERS.get(channels - 1).map_or(&[] as &[usize], |o| o.0);
    let mut decoder = Streams::new(reader.head()).map_err(wrong)?;
    let mut trim = Trim::new(reader.head(), RATE, channels).map_err(wrong)?;
    let mut block = vec![0f32; MAX_PACKET_SAMPLES * channels];
    let mut planes = vec![Vec::new(); channels];
    let (mut damaged, mut given) = (0u64, 0u64);
    loop {
        let packet = match reader.read_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(e) => {
                notes.push(Note::warning(format!(
                    "cut short or damaged ({e}); what could be decoded is used"
                )));
                break;
            }
        };
        match decoder.decode(&packet.data, &mut block) {
            Ok(frames) => {
                let kept = trim.keep(&packet, block.get(..frames * channels).unwrap_or_default());
                for (plane, source) in planes.iter_mut().zip(order) {
                    plane.clear();
                    plane.extend(kept.iter().skip(*source).step_by(channels));
                    crate::reader::clean(plane);
                }
                given += planes.first().map_or(0, Vec::len) as u64;
                if !kept.is_empty() {
                    sink(&planes)?;
                }
            }
            Err(_) => damaged += 1,
        }
    }
    if damaged > 0 && given == 0 {
        return Err(MediaError::damaged(path, "Opus", "nothing in it can be decoded"));
    }
    if damaged > 0 {
        notes.push(Note::warning(format!(
            "damaged: {damaged} packets cannot be decoded; what follows a gap is early"
        )));
    }
    Ok(())
}
