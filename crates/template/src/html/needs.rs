//! Which escapers a value needs at a place.

use super::Escaper;
use super::context::{Address, Context, Quote, State};

/// Returns what a value needs at a place.
pub(super) fn escapers(context: Context) -> Result<Vec<Escaper>, String> {
    let mut escapers = Vec::with_capacity(3);
    match context.state {
        State::Text => escapers.push(Escaper::Markup),
        State::Content => escapers.push(Escaper::Content),
        State::Attribute | State::Never => {}
        State::Tag | State::AttributeName | State::AfterName | State::BeforeValue => {
            escapers.push(Escaper::Name);
        }
        State::AddressSet => escapers.push(Escaper::AddressSet),
        State::Script => escapers.push(Escaper::ScriptValue),
        State::ScriptDouble | State::ScriptSingle => escapers.push(Escaper::ScriptText),
        State::ScriptRegex => escapers.push(Escaper::ScriptRegex),
        State::ScriptTemplate => {
            return Err("an action stands between back quotes of a script; use other quotes there"
                .to_owned());
        }
        State::Style => escapers.push(Escaper::StyleValue),
        State::Address
        | State::StyleDouble
        | State::StyleSingle
        | State::StyleAddressDouble
        | State::StyleAddressSingle
        | State::StyleAddress => {
            let in_text = matches!(context.state, State::StyleDouble | State::StyleSingle);
            match context.address {
                Address::Start => escapers.push(Escaper::AddressFilter),
                Address::Path => {}
                Address::Query => escapers.push(Escaper::AddressPart),
                Address::Unknown => {
                    return Err(
                        "an action stands in an address of which branches wrote different parts"
                            .to_owned(),
                    );
                }
            }
            if context.address != Address::Query {
                escapers.push(if in_text { Escaper::StyleText } else { Escaper::Address });
            }
        }
        State::Comment
        | State::ScriptBlockComment
        | State::ScriptLineComment
        | State::StyleBlockComment
        | State::StyleLineComment => escapers.push(Escaper::Comment),
    }
    let for_quotes = match context.quote {
        Quote::None => return Ok(escapers),
        Quote::Space => Escaper::Unquoted,
        Quote::Double | Quote::Single => Escaper::Quoted,
    };
    escapers.push(for_quotes);
    Ok(escapers)
}

/// Returns the escapers without those that change nothing behind another.
pub(super) fn without_redundant(escapers: Vec<Escaper>) -> Vec<Escaper> {
    let mut kept: Vec<Escaper> = Vec::with_capacity(escapers.len());
    for escaper in escapers {
        if !kept.last().is_some_and(|last| escaper.is_redundant_behind(*last)) {
            kept.push(escaper);
        }
    }
    kept
}
