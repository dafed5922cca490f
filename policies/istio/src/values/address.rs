//! Addresses, and blocks of them.

use std::net::IpAddr;

/// An IP address, or a block of them such as `10.0.0.0/8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpBlock {
    text: String,
    is_block: bool,
}

/// The error of a text that is neither.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IP address, or a block of them such as `10.0.0.0/8`")]
pub struct IpBlockError(String);

impl IpBlock {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True if it has a `/`.
    pub fn is_block(&self) -> bool {
        self.is_block
    }
}

impl TryFrom<&str> for IpBlock {
    type Error = IpBlockError;

    fn try_from(text: &str) -> Result<Self, IpBlockError> {
        let error = || IpBlockError(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        if let Some(length) = length {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
            let length: Option<u8> = length.parse().ok().filter(|length| is_number && *length <= most);
            length.ok_or_else(error)?;
        }
        Ok(Self { text: text.to_owned(), is_block: length.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::IpBlock;

    #[test]
    fn an_address_may_be_a_block() {
        for (text, is_block) in
            [("10.0.0.1", false), ("10.0.0.0/8", true), ("::1", false), ("fd00::/64", true)]
        {
            assert_eq!(IpBlock::try_from(text).map(|block| block.is_block()), Ok(is_block), "{text}");
        }
        for bad in ["", "10.0.0.300", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "a.example"] {
            assert!(IpBlock::try_from(bad).is_err(), "{bad}");
        }
    }
}
