//! People answer, page and change how they are reached.

use std::sync::Arc;

use tocsin_core::change::Change;
use tocsin_core::command::{Command, PagingChange, Reply};
use tocsin_core::identity::{Actor, Credential, Handle, IdentityChange, Who};
use tocsin_core::ids::RunNumber;
use tocsin_core::paging::{Answer, Channel, Receipt, Recipient, Spoken};
use tocsin_core::policy::Policy;

use super::config;
use super::cursor::{Cursor, Trouble};
use super::head::Head;
use super::paging::{Doing, From};
use super::text::{Block, Options};
use super::world::World;

/// The code that is sent to every address.
const CODE: &str = "123456";

impl World<'_> {
    pub(super) fn do_paging(&mut self, doing: &Doing) -> Result<(), Trouble> {
        match doing.clone() {
            Doing::Answer { by, wanted, run, via, asked_at, comment } => {
                let run = run.map_or_else(|| self.latest_run(), RunNumber);
                let answer = Answer { run, by, action: wanted, comment, via, asked_at };
                self.hear(Command::Answer(answer));
            }
            Doing::Says { from, channel, text } => {
                let address = match from {
                    From::Address(address) => address,
                    From::Person(person) => self.address_of(&person, channel)?,
                };
                self.hear(Command::Spoken(Spoken { channel, address, text }));
            }
            Doing::Pages { by, policy, people, title, service, severity } => {
                self.pages_made += 1;
                let id = uuid::Builder::from_random_bytes(self.pages_made.to_be_bytes());
                let id = id.into_uuid();
                let service = service.as_str().into();
                let page = PagingChange::Page { policy, people, id, title, service, severity };
                let handle = Handle::parse(&by).map_err(|why| trouble(why.to_string()))?;
                self.act_as(Some(handle));
                self.hear(Command::Paging(page));
                self.act_as(None);
            }
            Doing::AddMethod { person, id, channel, address } => {
                self.change(PagingChange::SetMethod { person, id, channel, address });
            }
            Doing::RemoveMethod { person, id } => {
                self.change(PagingChange::RemoveMethod { person, id });
            }
            Doing::AskCode { person, id } => {
                let code = CODE.to_owned();
                self.change(PagingChange::BeginVerification { person, id, code });
            }
            Doing::TellCode { person, id, code } => {
                self.change(PagingChange::Verify { person, id, code });
            }
            Doing::Test { person, id } => self.change(PagingChange::TestMethod { person, id }),
            Doing::SetRules { person, text } => self.set_rules(person, &text)?,
            Doing::Beat { name } => self.hear(Command::Beat { name: name.as_str().into() }),
            Doing::Change { summary, by } => {
                let (source, occurred_at) = (by.clone(), self.now());
                let (details, links, integration) = (String::new(), Vec::new(), by);
                let change = Change { summary, source, occurred_at, details, links, integration };
                self.hear(Command::RecordChange { change });
            }
            Doing::Activity { person, is_active } => {
                self.hear(Command::Identity(if is_active {
                    IdentityChange::Reactivate(person)
                } else {
                    IdentityChange::Deactivate(person)
                }));
            }
            Doing::Receipt { channel, whom, state, detail } => {
                let why = || trouble(format!("nothing was sent to {whom} by {channel} so far"));
                let receipt = self.last_receipt(channel, &whom).ok_or_else(why)?;
                self.hear(Command::Receipt(Receipt { channel, receipt, state, detail }));
            }
            Doing::Channel { name, behaviour, attempts } => {
                self.set_receiver(&name, behaviour, attempts);
            }
            Doing::SetPolicy { text } => {
                let mut head = self.people_of_head();
                head.policy(&mut Cursor::new(&text))?;
                let policy = read_head(&head)?;
                if let Some(policy) = policy.escalation.policies.first() {
                    let policy = Box::new(policy.as_ref().clone());
                    self.change(PagingChange::SetPolicy(policy));
                }
            }
            Doing::DeletePolicy { name } => self.change(PagingChange::DeletePolicy(name)),
        }
        Ok(())
    }

    fn set_rules(&mut self, person: Handle, text: &str) -> Result<(), Trouble> {
        let mut head = Head::default();
        head.person(&mut Cursor::new(&format!("{person}: {text}")))?;
        let policy = read_head(&head)?;
        let contacts = policy.escalation.contacts.get(&person);
        let rules = contacts.map(|it| it.rules.clone()).unwrap_or_default();
        self.change(PagingChange::SetRules { person, rules });
        Ok(())
    }

    fn change(&mut self, change: PagingChange) {
        self.hear(Command::Paging(change));
    }

    /// Gives a command and notes what whoever gave it is told.
    fn hear(&mut self, command: Command) {
        if let Some(Reply::Answered(answered)) = self.submit(command) {
            let text = answered.text.replace('\n', " / ");
            let text = if text.is_empty() { "(none)".to_owned() } else { text };
            self.note(format!("answer: {text}"));
        }
    }

    fn latest_run(&self) -> RunNumber {
        let state = self.tenant().map(|tenant| tenant.escalation_state(self.now()));
        let runs = state.map(|state| state.runs).unwrap_or_default();
        let open = runs.iter().rev().find(|run| run.is_open());
        open.or(runs.last()).map_or(RunNumber(1), |run| run.number)
    }

    fn address_of(&self, person: &Handle, channel: Channel) -> Result<String, Trouble> {
        let contacts = self.tenant().map(|tenant| tenant.contacts_of(person)).unwrap_or_default();
        let methods = contacts.methods.into_iter();
        let mut methods = methods.filter(|method| method.channel == channel);
        let why = || trouble(format!("{person} is not reached by {channel}"));
        methods.next().map(|method| method.address).ok_or_else(why)
    }

    fn act_as(&mut self, person: Option<Handle>) {
        let actor = person.map_or(Actor::ENGINE, |handle| Actor {
            who: Who::Person(handle),
            credential: Credential::None,
            address: None,
            request_id: None,
        });
        self.set_actor(actor);
    }
}

/// Reads a line of a step as if it stood at the head of the file.
fn read_head(head: &Head) -> Result<Arc<Policy>, Trouble> {
    config::read("the line", &Block::EMPTY, &Options::default(), head)
        .map_err(|error| trouble(error.to_string()))
}

/// Returns whether a page went to somebody, or some place, that is called so.
pub(super) fn is_for(recipient: &Recipient, whom: &str) -> bool {
    match recipient {
        Recipient::Person { person, .. } => person.as_str() == whom,
        Recipient::Place { name } => name.rsplit('/').next() == Some(whom),
    }
}

fn trouble(message: String) -> Trouble {
    Trouble { offset: 0, message }
}
