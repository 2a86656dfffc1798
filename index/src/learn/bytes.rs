//! Numbers to bytes and back, to the bit: what was learnt must be the same after a restart.
//!
//! Little-endian. Reading never trusts a length: it ends where the bytes end.

/// Writes one after the other.
#[derive(Debug, Default)]
pub(crate) struct Out(pub Vec<u8>);

impl Out {
    pub fn u16(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.0.extend(value.to_le_bytes());
    }

    pub fn f32(&mut self, value: f32) {
        self.u32(value.to_bits());
    }

    pub fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    /// A count, then each.
    pub fn list<T>(&mut self, values: impl ExactSizeIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        for value in values {
            each(self, value);
        }
    }

    pub fn text(&mut self, text: &str) {
        self.list(text.bytes(), |out, byte| out.0.push(byte));
    }
}

/// Reads what [`Out`] wrote; `None` where the bytes end too early.
#[derive(Debug)]
pub(crate) struct In<'a>(pub &'a [u8]);

impl In<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    pub fn f32(&mut self) -> Option<f32> {
        self.u32().map(f32::from_bits)
    }

    pub fn f64(&mut self) -> Option<f64> {
        self.u64().map(f64::from_bits)
    }

    pub fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.u32()?;
        (0..length).map(|_| each(self)).collect()
    }

    pub fn array<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut all = [0.0; N];
        for value in &mut all {
            *value = self.f32()?;
        }
        Some(all)
    }

    pub fn text(&mut self) -> Option<String> {
        let bytes = self.list(|input| input.take::<1>().map(|[byte]| byte))?;
        String::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_cut_is_refused() {
        let mut out = Out::default();
        out.u16(7);
        out.i64(-3);
        out.f64(0.1);
        out.text("größe");
        out.list([1.5_f32, -0.0].into_iter(), Out::f32);
        let bytes = out.0;
        let read = |bytes: &[u8]| {
            let mut input = In(bytes);
            let numbers = (input.u16()?, input.i64()?, input.f64()?.to_bits());
            Some((numbers, input.text()?, input.list(In::f32)?))
        };
        let expected = ((7, -3, 0.1_f64.to_bits()), "größe".to_owned(), vec![1.5, -0.0]);
        assert_eq!(read(&bytes), Some(expected));
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None);
        }
    }
}
